import Foundation
import TestSupport
import Testing

/// One database and one sandbox with faults, and a daemon that is killed again and again, at named points and at random
/// moments; at the end it may come to rest, and all books are compared.
struct TortureRound {
    private(set) var tally = TortureTally()
    private let seed: UInt64
    private let kills: Int
    private let sandbox: SandboxProcess
    private let redeliver: RedeliverProcess
    private let faults: String
    private var luck: SeededNumbers
    private var autopsy: TortureAutopsy
    /// What was done, for a failure.
    private var lives: [String] = []

    /// Starts the sandbox and lets the daemon make its database and its first metrics file.
    ///
    /// - Parameter seed: also decides how the log shows retries.
    init(seed: UInt64, kills: Int, bench: Bench) async throws {
        self.seed = seed
        self.kills = kills
        luck = SeededNumbers(seed: seed &* 0x9e37_79b9_7f4a_7c15)
        let shape = ["same", "named", "silent", "in-place"][Int(seed % 4)]
        sandbox = try await bench.sandbox(
            [
                // Many customers: two failures of one event, customer and body, `null` for instance, are one to a
                // reader.
                "--failures", "0", "--successes", "200", "--events", Self.events.joined(separator: ","),
                "--page-size", "100", "--time", "milliseconds", "--latency", "15ms", "--seed", "\(seed)",
                "--retry-logs", shape,
            ] + (shape == "in-place" ? ["--in-place-updated-at"] : []))
        faults = #"""
            "fault": ["retry:drop-after@0.08", "retry:drop-before@0.05", "retry:garbage@0.05", "retry:truncate@0.05",
            "retry:status=500@0.03", "logs:drop-before@0.01", "logs:truncate@0.01"],
            "set": {"log-delay": "200ms", "page-size": "6"}
            """#
        let redeliver = try bench.redeliver(Self.settings(sandbox, circuits: [1, 4, 6, 7].contains(seed % 8)))
        self.redeliver = redeliver
        let daemon = try await redeliver.start()
        try await waitUntil("the first metrics file") { FileManager.default.fileExists(atPath: redeliver.metrics.path) }
        try #require(try await daemon.stop() == .code(0))
        try redeliver.change(TortureHistory.triggers)
        autopsy = try TortureAutopsy(redeliver: redeliver, sandbox: sandbox)
    }

    private static let events = (1...24).map { "event_\($0)" }

    private static func settings(_ sandbox: SandboxProcess, circuits: Bool) -> RedeliverSettings {
        var settings = RedeliverSettings(sandbox)
        settings.poll = "interval: 250ms, overlap: 10s"
        // Longer than any log is late: what the log shows, it shows in time.
        settings.confirm = "interval: 250ms, within: 6s"
        settings.retry = "concurrency: 6, per_second: 60, burst: 6"
        settings.policy = "initial_delay: 100ms, multiplier: 2, max_delay: 400ms, max_attempts: 200, jitter: 0"
        if circuits { settings.circuit = "open_after: 4, trial_delays: [100ms, 200ms]" }
        return settings
    }

    mutating func run() async throws {
        try await sandbox.control("{\(faults)}")
        while tally.kills < kills {
            let times = Int.random(in: 0...2, using: &luck)
            let count = Int.random(in: 1...4, using: &luck)
            for _ in 0..<count {
                let event = Self.events.randomElement(using: &luck) ?? "a"
                let endpoint = Int.random(in: 0...1, using: &luck)
                try await sandbox.control(
                    #"{"fail": {"endpoint": \#(endpoint), "times": \#(times), "event": "\#(event)"}}"#)
            }
            try await kill(at: TorturePlan.next(&luck))
        }
        try await sandbox.control(#"{"clear_faults": true, "set": {"page-size": "200"}}"#)
        let daemon = try await redeliver.start()
        try await expectRest()
        try #require(try await daemon.stop() == .code(0))
        try await TortureBooks(redeliver: redeliver, ledger: try await sandbox.ledger(), seed: seed).compare(
            into: &tally)
    }

    private func expectRest() async throws {
        do {
            try await redeliver.waitUntilDelivered(try await sandbox.summary().failedInitially)
        } catch {
            let known = Set(try redeliver.texts("SELECT task_id FROM delivery"))
            let missing = try await sandbox.ledger().failures.filter { !known.contains($0.taskId) }
            let open = try redeliver.texts("SELECT task_id || ' is ' || state FROM delivery WHERE state <> 'delivered'")
            throw SandboxError(
                """
                \(error)
                not in the database: \(missing.map { "\($0.taskId) at \($0.attempts.first?.atMs ?? 0)" })
                open: \(open)
                lives:
                \(lives.joined(separator: "\n"))
                """)
        }
    }

    /// One life of the daemon, to its violent end.
    private mutating func kill(at plan: TorturePlan) async throws {
        let daemon = try redeliver.bench.start(
            "redeliver", ["run", "--config", redeliver.configuration.path], environment: try plan.point.environment())
        let begun = ContinuousClock.now
        try await waitUntil("the moment of the kill") {
            !daemon.isRunning || ContinuousClock.now - begun > plan.patience
        }
        if plan.stopsFirst {
            daemon.send(SIGTERM)
            try await waitUntil("its end") { !daemon.isRunning || ContinuousClock.now - begun > .seconds(10) }
        }
        daemon.send(SIGKILL)
        let ending = try await daemon.ending()
        let now = Int(Date().timeIntervalSince1970 * 1000)
        lives.append("\(now - Int((ContinuousClock.now - begun) / .milliseconds(1))) to \(now): \(plan)")
        let story = "seed \(seed), kill \(tally.kills + 1), \(plan)"
        // Asked to stop so early that it does not listen yet, it dies of the request.
        guard ending == .signal(SIGKILL) || (plan.stopsFirst && ending == .signal(SIGTERM)) else {
            // A clean stop that had nothing to write at the point; anything else is a fault.
            guard plan.stopsFirst, ending == .code(0) else {
                throw SandboxError("\(story): \(ending) \(daemon.errors)")
            }
            return
        }
        tally.kills += 1
        let lastTalk = KillPoint.lastTalk(in: daemon.errors)
        if lastTalk != nil { tally.atPoints += 1 }
        let places = try await autopsy.examine(plan: plan, lastTalk: lastTalk, story: Comment(rawValue: story))
        for place in places { tally.places[place, default: 0] += 1 }
    }
}
