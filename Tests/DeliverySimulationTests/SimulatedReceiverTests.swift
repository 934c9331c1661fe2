import Testing

@testable import DeliverySimulation

@Suite("The simulated receiver") struct SimulatedReceiverTests {
    private let outage = Duration.seconds(3_600)..<Duration.seconds(7_200)
    private var generator = SeededGenerator(seed: 1)

    private mutating func arrivals(_ receiver: SimulatedReceiver, every step: Duration, type: String = "a") -> [Int] {
        var receiver = receiver
        return (0..<180).filter { number in
            receiver.receive(type, at: step * number, using: &generator).arrives
        }
    }

    @Test mutating func `down means that nothing arrives in the outage and everything outside of it`() {
        let arrived = arrivals(SimulatedReceiver(outage: outage), every: .seconds(60))
        #expect(arrived == Array(0..<60) + Array(120..<180))
    }

    @Test mutating func `flapping lets one delivery through every ten minutes`() {
        let arrived = arrivals(SimulatedReceiver(outage: outage, kind: .flapping), every: .seconds(60))
        #expect(arrived.filter { (60..<120).contains($0) } == [70, 80, 90, 100, 110])
    }

    @Test mutating func `slow is known only after a timeout`() {
        var receiver = SimulatedReceiver(outage: outage, kind: .slow)
        let reception = receiver.receive("a", at: .seconds(3_600), using: &generator)
        #expect(reception == .init(arrives: false, takes: .seconds(30)))
    }

    @Test mutating func `a share fails by chance, and a poisonous event type for ever`() {
        let some = arrivals(SimulatedReceiver(failingShare: 0.1), every: .seconds(1)).count
        #expect((150..<176).contains(some))
        let poisonous = SimulatedReceiver(poison: ["b"])
        #expect(arrivals(poisonous, every: .seconds(1)).count == 180)
        #expect(arrivals(poisonous, every: .seconds(1), type: "b").isEmpty)
    }
}
