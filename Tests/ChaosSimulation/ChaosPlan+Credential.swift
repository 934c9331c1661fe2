import DeliverySimulation

extension ChaosPlan {
    /// A firewall that forbids single bodies while chaos lasts, and tokens that are not valid yet when they are issued.
    mutating func addFirewall() {
        var dice = SeededGenerator(seed: seed ^ 0xf12e)
        if usesLogin, dice.chance(0.5) { tokenDelay = .seconds(2) }
        guard dice.chance(0.5) else { return }
        let candidates = events.indices.filter { !events[$0].isFiller }
        for _ in 0..<dice.int(2...8) { forbidden.formUnion(alike(dice.pick(candidates))) }
    }

    /// Whether a firewall forbids the retry of an event.
    func isForbidden(_ event: Int, at time: Duration) -> Bool { isChaos(time) && forbidden.contains(event) }

    /// Whether nothing but a refused call can look like a refused credential, so that no 403 may be blamed on it.
    var neverRefusesCredential: Bool {
        !usesLogin && readFaults == 0 && refusesLogin.isEmpty && !faults.contains(.unauthorized)
    }
}
