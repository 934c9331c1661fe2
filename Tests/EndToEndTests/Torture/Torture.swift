import Foundation
import Synchronization

/// How much is killed, and what all rounds together saw.
final class Torture: Sendable {
    /// One for each way in which a log shows retries, at the least.
    private static let leastRounds = 4

    let kills: Int
    /// One sandbox and one database each, and at most 50 kills.
    private let rounds: Int
    private var killsInARound: Int { (kills + rounds - 1) / rounds }
    private let tally = Mutex(TortureTally())

    /// - Parameter kills: rounded up to whole rounds.
    init(kills: Int) {
        self.kills = kills
        rounds = max(Self.leastRounds, (kills + 49) / 50)
    }

    /// Whether the long proofs are wanted, as by `make prove`.
    static let isLong = ProcessInfo.processInfo.environment["REDELIVER_TEST_PROOFS"] == "long" || isEndless
    /// Whether it may take as long as it needs, as in `make torture`.
    static let isEndless = askedKills.map { $0 > 200 } ?? false
    /// `REDELIVER_TEST_KILLS`, or as many as fit into the run.
    static let wantedKills = askedKills ?? (isLong ? 200 : 12)
    private static let askedKills = ProcessInfo.processInfo.environment["REDELIVER_TEST_KILLS"].flatMap { Int($0) }

    /// `REDELIVER_TEST_SEED`: only the round with this seed is played, again.
    static var wantedSeed: Int? {
        ProcessInfo.processInfo.environment["REDELIVER_TEST_SEED"].flatMap { Int($0) }
    }

    /// Plays all rounds, as many at a time as there are benches. The seed of a round is its number.
    func run() async throws -> TortureTally {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seed in Self.wantedSeed.map({ $0...$0 }) ?? 1...rounds {
                group.addTask { try await self.play(seed: UInt64(seed)) }
            }
            try await group.waitForAll()
        }
        return tally.withLock { $0 }
    }

    private func play(seed: UInt64) async throws {
        try await withBench { bench in
            do {
                var round = try await TortureRound(seed: seed, kills: killsInARound, bench: bench)
                try await round.run()
                let seen = round.tally
                let all = tally.withLock {
                    $0.add(seen)
                    return $0
                }
                // The long run tells how far it is.
                if Self.isEndless { print("after the round with seed \(seed): \(all)") }
            } catch {
                throw SandboxError("round with seed \(seed): \(error)")
            }
        }
    }
}

/// What a torture did and saw, in counts.
struct TortureTally: Sendable, CustomStringConvertible {
    var kills = 0
    /// Of these, at a named point that was reached.
    var atPoints = 0
    var places: [KillPlace: Int] = [:]
    var deliveries = 0
    var calls = 0
    var executed = 0
    var unconfirmed = 0
    var lost = 0
    var repeats = 0
    var finalTwice = 0

    mutating func add(_ other: TortureTally) {
        kills += other.kills
        atPoints += other.atPoints
        places.merge(other.places) { $0 + $1 }
        deliveries += other.deliveries
        calls += other.calls
        executed += other.executed
        unconfirmed += other.unconfirmed
        lost += other.lost
        repeats += other.repeats
        finalTwice += other.finalTwice
    }

    var description: String {
        let hits = KillPlace.allCases.map { "\($0.rawValue) \(places[$0] ?? 0)" }.joined(separator: ", ")
        return """
            \(kills) kills, \(atPoints) of them at named points (\(hits)); \(deliveries) deliveries, \(calls) calls, \
            \(executed) executed; lost \(lost), in a final state twice \(finalTwice), arrived again \(repeats), \
            unconfirmed \(unconfirmed)
            """
    }
}

/// Where a kill struck, as the database, the sandbox's ledger and the named point show; one kill may be of several.
enum KillPlace: String, CaseIterable, Sendable {
    /// Something is due, and nothing is called.
    case beforeIntent = "before the intent"
    /// An intent is committed, and its call never reached the provider.
    case beforeCall = "between intent and call"
    /// The provider had the call and found nobody to answer to.
    case inCall = "in the call"
    /// The provider answered, and nothing of that is recorded.
    case afterAnswer = "after the answer"
    /// A page of the log was being received or stored.
    case inPage = "in a page"
    /// A part of a log is read, and the rest is still to be read.
    case inScan = "between two pages"
    case inCommit = "in a commit"
    case inCheckpoint = "in a checkpoint"
    case inMetrics = "in the metrics write"
    case atRandom = "at a random moment"
}
