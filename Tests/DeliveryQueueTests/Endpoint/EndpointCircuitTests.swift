import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// The circuit as a state machine: signals in, states and actions out. Times are seconds after `start`.
@Suite struct EndpointCircuitTests {
    typealias Seen = EndpointCircuit.Signal

    private static let settings = CircuitSettings(openAfter: 3, rampLimit: 8)

    private static func at(_ seconds: Int) -> Timestamp { start + .seconds(seconds) }

    private static func failed(_ delivery: Int64, _ time: Int?, isReceivers: Bool = true, isTrial: Bool = false) -> Seen
    {
        .failed(delivery: delivery, at: time.map(at), isReceivers: isReceivers, isTrial: isTrial)
    }

    private static func arrived(_ time: Int?, isRetry: Bool = false, isTrial: Bool = false) -> Seen {
        .arrived(at: time.map(at), isRetry: isRetry, isTrial: isTrial)
    }

    /// The circuit after all signals of `seen`, one a second from second 100 on, and its actions.
    private static func after(
        _ seen: [Seen], from circuit: EndpointCircuit = EndpointCircuit(), _ settings: CircuitSettings = settings,
        beginning second: Int = 100
    ) -> (EndpointCircuit, [EndpointCircuit.Action]) {
        var circuit = circuit
        let actions = seen.enumerated().compactMap { index, observation in
            circuit.take(observation, at: at(second + index), settings)
        }
        return (circuit, actions)
    }

    /// An open circuit whose first trial is due at second 132, and whose newest failure has the log's time 3.
    private static let open = after([failed(1, 1), failed(2, 2), failed(3, 3)]).0

    // MARK: - Opening

    @Test(arguments: [
        ("three different deliveries in a row", [failed(1, 1), failed(2, 2), failed(3, 3)], true),
        ("two are not enough", [failed(1, 1), failed(2, 2)], false),
        ("one delivery is one, however often", (1...20).map { failed(7, $0) }, false),
        (
            "an arrival between begins anew", [failed(1, 1), failed(2, 2), arrived(3), failed(3, 4), failed(4, 5)],
            false
        ),
        ("three after an arrival", [arrived(3), failed(1, 4), failed(2, 5), failed(3, 6)], true),
        ("the log's newest first", [failed(3, 6), failed(2, 5), failed(1, 4), arrived(3)], true),
        ("an arrival read first counts by its time", [arrived(9), failed(3, 6), failed(2, 5), failed(1, 4)], false),
        ("an arrival of the same second is after it", [failed(1, 5), failed(2, 5), arrived(5), failed(3, 5)], false),
        (
            "refusals of single deliveries do not count",
            [failed(1, 1), failed(2, 2), failed(3, 3, isReceivers: false), failed(4, 4, isReceivers: false)], false
        ),
        (
            "a refusal does not begin the row anew",
            [failed(1, 1), failed(2, 2), failed(9, 3, isReceivers: false), failed(3, 4)], true
        ),
        ("without times the order of reading counts", [failed(1, nil), failed(2, nil), failed(3, nil)], true),
        ("an arrival without a time is the newest", [failed(1, 1), failed(2, 2), arrived(nil), failed(3, 2)], false),
    ])
    func `the circuit opens for failures in a row`(name: String, seen: [Seen], isOpen: Bool) {
        let (circuit, actions) = Self.after(seen)
        #expect(circuit.isOpen == isOpen, "\(name)")
        #expect(actions.last == (isOpen ? .hold : nil), "\(name)")
    }

    @Test func `an open circuit counts no row and holds from now on`() {
        #expect(Self.open.phase == .open(since: Self.at(102), nextTrial: Self.at(132)))
        #expect(Self.open.failing == [:])
        let (circuit, actions) = Self.after([Self.failed(4, 4), Self.failed(5, 5), Self.failed(6, 6)], from: Self.open)
        #expect(actions == [] && circuit.phase == Self.open.phase)
    }

    // MARK: - Trials

    @Test func `each failed trial climbs the ladder, whose last step stays`() {
        var circuit = Self.open
        var waits: [Duration] = []
        for trial in 0..<7 {
            let called = Self.at(1_000 * (trial + 1))
            _ = circuit.take(.trialBegan(delivery: Int64(trial)), at: called, Self.settings)
            _ = circuit.take(Self.failed(Int64(trial), 4 + trial, isTrial: true), at: called, Self.settings)
            if case .open(_, let next) = circuit.phase { waits.append(next - called) }
        }
        #expect(waits == [60, 120, 240, 300, 300, 300, 300].map { .seconds($0) })
        #expect(circuit.phase == .open(since: Self.at(102), nextTrial: Self.at(7_300)))
    }

    @Test(arguments: [EndpointCircuit.Signal.trialWasted, failed(1, 9, isReceivers: false, isTrial: true)])
    func `a trial that says nothing of the receiver is followed by another one step no higher`(_ ended: Seen) {
        let (circuit, actions) = Self.after([.trialBegan(delivery: 1), ended], from: Self.open, beginning: 200)
        #expect(circuit.phase == .open(since: Self.at(102), nextTrial: Self.at(231)))
        #expect(circuit.step == 0 && circuit.trial == 1 && actions == [])
    }

    @Test func `fresh failures in the log leave the time of the next trial alone`() {
        let (circuit, _) = Self.after((10..<60).map { Self.failed(Int64($0), $0) }, from: Self.open)
        #expect(circuit.phase == Self.open.phase && circuit.lastFailure == Self.at(59))
    }

    // MARK: - Closing

    @Test(arguments: [
        ("a delivery of the provider's own", arrived(4), true),
        ("a retry", arrived(4, isRetry: true), true),
        ("one of the same second as the newest failure", arrived(3), true),
        ("one that was before the newest failure", arrived(2), false),
        ("one whose time nothing tells", arrived(nil), true),
        ("a trial, whatever its time", arrived(-50, isRetry: true, isTrial: true), true),
        ("an operator's word", .resumed, true),
    ])
    func `an arrival after the newest failure closes it`(name: String, seen: Seen, closes: Bool) {
        let (circuit, actions) = Self.after([seen], from: Self.open)
        #expect(circuit.isOpen == !closes, "\(name)")
        #expect(actions == (closes ? [.release] : []), "\(name)")
        if closes { #expect(circuit.phase == .draining(limit: 1)) }
    }

    @Test func `an operator's word to a closed circuit changes nothing`() {
        let (circuit, actions) = Self.after([.resumed, .drained, .trialWasted])
        #expect(circuit == EndpointCircuit() && actions == [])
    }

    @Test func `without a ramp it closes at once`() {
        let settings = CircuitSettings(openAfter: 3, rampLimit: nil)
        let (circuit, actions) = Self.after([Self.arrived(9)], from: Self.open, settings)
        #expect(circuit.phase == .closed && circuit.step == 0 && actions == [.release])
    }

    // MARK: - Draining

    private static let draining = after([arrived(4)], from: open).0

    private static func limit(_ circuit: EndpointCircuit) -> Int? {
        if case .draining(let limit) = circuit.phase { limit } else { nil }
    }

    @Test func `each retry that arrives lets one more call out, so that they double, up to the limit`() {
        var circuit = Self.draining
        var limits: [Int?] = []
        for second in 5..<12 {
            _ = circuit.take(Self.arrived(second, isRetry: true), at: Self.at(200 + second), Self.settings)
            limits.append(Self.limit(circuit))
        }
        #expect(limits == [2, 3, 4, 5, 6, 7, nil])
        #expect(circuit.phase == .closed && circuit.step == 0)
    }

    @Test func `the provider's own arrivals do not widen the drain, and a failure halves it`() {
        let arrivals = (5..<9).map { Self.arrived($0, isRetry: true) }
        let (wide, _) = Self.after(arrivals + [Self.arrived(9), Self.arrived(10)], from: Self.draining)
        #expect(Self.limit(wide) == 5)
        let (half, _) = Self.after([Self.failed(1, 20)], from: wide)
        #expect(Self.limit(half) == 2)
        let (least, _) = Self.after([Self.failed(1, 21), Self.failed(1, 22)], from: half)
        #expect(Self.limit(least) == 1)
    }

    @Test func `nothing left to drain closes it`() {
        let (circuit, actions) = Self.after([.drained], from: Self.draining)
        #expect(circuit.phase == .closed && actions == [])
    }

    @Test func `a receiver that falls again while it drains keeps its place on the ladder`() {
        var circuit = Self.open
        for trial in 0..<3 {
            _ = circuit.take(Self.failed(1, 10 + trial, isTrial: true), at: Self.at(200 + trial), Self.settings)
        }
        let flapped = [Self.arrived(20), Self.failed(4, 21), Self.failed(5, 22), Self.failed(6, 23)]
        let (again, actions) = Self.after(flapped, from: circuit, beginning: 300)
        #expect(actions == [.release, .hold])
        #expect(again.phase == .open(since: Self.at(303), nextTrial: Self.at(303 + 240)))
    }

    @Test func `one that fails every tenth delivery never opens it`() {
        var random = Jitter(endpointID: "e", taskID: "t", cycle: 1, attempt: 1)
        var circuit = EndpointCircuit()
        for second in 0..<10_000 {
            let isFailure = Int.random(in: 0..<10, using: &random) == 0
            let seen = isFailure ? Self.failed(Int64(second), second) : Self.arrived(second, isRetry: true)
            #expect(circuit.take(seen, at: Self.at(second), .standard) == nil)
        }
        #expect(circuit.phase == .closed)
    }

    /// Whatever comes in whatever order, the machine stays within its bounds.
    @Test(arguments: 0..<50) func `no order of observations breaks a bound`(seed: Int) {
        var random = Jitter(endpointID: "e", taskID: "t", cycle: 1, attempt: seed)
        var circuit = EndpointCircuit()
        for second in 0..<2_000 {
            let time = Bool.random(using: &random) ? Int.random(in: -500...3_000, using: &random) : nil
            let delivery = Int64.random(in: 1...12, using: &random)
            let seen: Seen =
                switch Int.random(in: 0..<7, using: &random) {
                case 0...2:
                    Self.failed(
                        delivery, time, isReceivers: Bool.random(using: &random), isTrial: Bool.random(using: &random))
                case 3: Self.arrived(time, isRetry: Bool.random(using: &random), isTrial: Bool.random(using: &random))
                case 4: .trialBegan(delivery: delivery)
                case 5: .trialWasted
                default: Bool.random(using: &random) ? .drained : .resumed
                }
            let wasOpen = circuit.isOpen
            let action = circuit.take(seen, at: Self.at(second), Self.settings)
            #expect((action == .hold) == (!wasOpen && circuit.isOpen))
            #expect((action == .release) == (wasOpen && !circuit.isOpen))
            #expect(circuit.failing.count < Self.settings.openAfter)
            #expect(!circuit.isOpen || circuit.failing.isEmpty)
            #expect((0..<Self.settings.trialDelays.count).contains(circuit.step))
            #expect(Self.limit(circuit).map { (1..<8).contains($0) } ?? true)
        }
    }
}
