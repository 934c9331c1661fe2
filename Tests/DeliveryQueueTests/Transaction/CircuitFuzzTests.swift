import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Whatever happens in whatever order, the next due time and what is claimed agree.
@Suite struct CircuitFuzzTests {
    @Test(arguments: 1...(Proofs.areLong ? 12 : 4))
    func `what is due by then is what is claimed, in every state`(seed: UInt64) async throws {
        let queue = try await QueueFixture(rules: QueueFixture.circuitRules(ramp: seed.isMultiple(of: 2) ? 4 : nil))
        var random = Dice(seed: seed)
        var now = start
        var tasks = 0
        var open: [ClaimedDelivery] = []
        var awaiting: [(claim: ClaimedDelivery, at: Timestamp)] = []
        for _ in 0..<250 {
            now = now + .seconds([0, 1, 7, 45, 400, 4_000][random.roll(6)])
            switch random.roll(13) {
            case 0...3:
                try await queue.ingest(.failure("t\(tasks)", at: now - .seconds(random.roll(9))), at: now)
                tasks += 1
            case 4:
                try await queue.ingest(.success("s\(tasks)", at: now - .seconds(random.roll(9))), at: now)
                tasks += 1
            case 5...6 where !awaiting.isEmpty:
                let (claim, called) = awaiting.remove(at: random.roll(awaiting.count))
                let time = called + .seconds(1)
                try await queue.ingest(
                    random.roll(3) == 0 ? .success(claim.taskID, at: time) : .failure(claim.taskID, at: time), at: now)
            case 7...8 where !open.isEmpty:
                let claim = open.remove(at: random.roll(open.count))
                let meaning: Reply =
                    [
                        .accepted, .accepted, .accepted, .uncertain, .notExecuted(pause: .seconds(30)), .notFound,
                        .rejected, .serverError, .redirected,
                    ][random.roll(9)]
                try await queue.record(claim, meaning, at: now)
                awaiting.append((claim, now))
            case 9:
                try await queue.ingest(at: now)
                try await queue.settle(at: now)
            case 10:
                let id = try await queue.number("SELECT id FROM delivery ORDER BY random() LIMIT 1")
                let action = OperatorAction.allCases[random.roll(3)]
                _ = try? await queue.store.act(action, on: id, by: "ann", reason: "x", at: now)
            case 11 where random.roll(3) == 0:
                _ = try await queue.store.pause(
                    endpoint: QueueFixture.endpoint, by: "a", reason: "x", at: now)
            case 12:
                _ = try await queue.store.resume(
                    endpoint: QueueFixture.endpoint, by: "a", reason: "x", rules: queue.rules, at: now)
            default: break
            }
            for _ in 0..<3 {
                let trials = try await queue.number("SELECT COUNT(*) FROM delivery WHERE is_trial = 1")
                let due = try await queue.store.nextDue(at: now)
                let before = try await queue.number("SELECT COUNT(*) FROM delivery WHERE state = 'dead'")
                let claimed = try await queue.claim(limit: 1 + random.roll(4), at: now)
                let after = try await queue.number("SELECT COUNT(*) FROM delivery WHERE state = 'dead'")
                let isDue = due.map { $0 <= now } ?? false
                // Otherwise the dispatcher would look again at once, for ever.
                if isDue { #expect(!claimed.isEmpty || after > before, "seed \(seed) at \(now)") }
                // Otherwise it would sleep beside work. Only a trial that takes too long may be noticed late.
                if !claimed.isEmpty { #expect(isDue || trials > 0, "seed \(seed) at \(now)") }
                open += claimed
            }
        }
    }
}

/// Small and repeatable.
private struct Dice {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15
    }

    mutating func roll(_ sides: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(sides))
    }
}
