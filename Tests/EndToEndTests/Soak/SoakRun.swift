import Foundation
import GRDB
import TestSupport
import Testing

/// A daemon and a sandbox that live through a soak's plan.
struct SoakRun {
    let plan: SoakPlan
    let sandbox: SandboxProcess
    let redeliver: RedeliverProcess
    private let daemon: RunningProgram
    private let began = ContinuousClock.now
    private var reloads = 0
    private(set) var samples: [SoakSample] = []

    init(_ plan: SoakPlan, _ bench: Bench) async throws {
        self.plan = plan
        // They give the customers; the failures are there when the daemon comes.
        sandbox = try await bench.sandbox(
            "--failures", "400", "--successes", "100", "--endpoints", "\(plan.endpoints)", "--time", "milliseconds",
            "--spread", "1m", "--receiver-latency", "5ms")
        redeliver = try bench.redeliver(Self.settings(plan, sandbox, reloads: 0))
        daemon = try await redeliver.start()
    }

    /// - Parameter reloads: each one changes something that the loops take over.
    private static func settings(_ plan: SoakPlan, _ sandbox: SandboxProcess, reloads: Int) -> RedeliverSettings {
        var settings = RedeliverSettings(sandbox)
        settings.poll = "interval: 2s, overlap: \(Int(plan.overlap * 1_000))ms"
        settings.confirm = "interval: 1s, within: \(plan.isJudged ? 15 : 5)s"
        settings.retry = "concurrency: \(16 + reloads % 2), per_second: 100, burst: 50"
        // The sandbox's provider never succeeds at once, so that every fresh event is a failure: what opens a circuit
        // has to be more than those of some seconds.
        settings.circuit = "open_after: 40, trial_delays: [1s, 2s, 4s]"
        settings.policy = "initial_delay: 1s, multiplier: 2, max_delay: 10s, max_attempts: 50, jitter: 0.1"
        return settings
    }

    /// Seconds since the start.
    private var second: Double { (ContinuousClock.now - began) / .seconds(1) }

    /// The whole plan, then peace until all has arrived.
    ///
    /// - Parameter told: gets a line about each minute.
    mutating func live(told: (String) -> Void) async throws {
        var (done, failed) = (0.0, 0)
        var (nextSample, nextLine) = (0.0, 60.0)
        while done < plan.length {
            try await waitUntil("a second passes") { second >= done + 1 }
            let now = second
            let wanted = plan.failures(by: now)
            try await fail(from: failed, to: wanted)
            for step in plan.steps(after: done, through: now) { try await perform(step) }
            if now >= nextSample {
                samples.append(try sample(at: now))
                nextSample += plan.sampleInterval
            }
            if now >= nextLine, let last = samples.last {
                told(line(about: last))
                nextLine += 60
            }
            (done, failed) = (now, wanted)
        }
        try await settle()
    }

    /// One in twenty fails once more when it is tried again, one in two hundred three times.
    private func fail(from earlier: Int, to later: Int) async throws {
        let often = later / 200 - earlier / 200
        let once = later / 20 - earlier / 20 - often
        for (times, count) in [(0, later - earlier - once - often), (1, once), (3, often)] where count > 0 {
            try await sandbox.control(#"{"fail":{"count":\#(count),"times":\#(times)}}"#)
        }
    }

    private mutating func perform(_ step: SoakPlan.Step) async throws {
        switch step {
        case .control(let json): try await sandbox.control(json)
        case .command(let arguments): try await run(arguments)
        case .reload:
            reloads += 1
            try redeliver.write(Self.settings(plan, sandbox, reloads: reloads).yaml)
            daemon.send(SIGHUP)
        case .backup:
            let file = redeliver.folder.appending(path: "backup.db")
            try? FileManager.default.removeItem(at: file)
            try await run(["database", "backup", file.path])
        case .prune:
            try age()
            try await run(["database", "prune", "--confirm"])
        }
    }

    private func run(_ arguments: [String]) async throws {
        let finished = try await redeliver.bench.run(
            "redeliver", arguments + ["--config", redeliver.configuration.path])
        #expect(finished.ending == .code(0), "\(arguments): \(finished.errors)")
    }

    /// What would take 90 days takes a cycle: what was delivered long enough ago is made so old, with what the log told
    /// of it, that pruning takes it. Deliveries that were called without proof stay, to answer for what arrived twice.
    private func age() throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        // Only the daemon works the write-ahead log into the file.
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA wal_autocheckpoint = 0") }
        let queue = try DatabaseQueue(path: redeliver.database.path, configuration: configuration)
        defer { try? queue.close() }
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        try queue.write { db in
            let old = """
                finalized_ms BETWEEN :now - 86400000 AND :now - :kept AND state = 'delivered' AND NOT EXISTS (
                    SELECT 1 FROM attempt WHERE delivery_id = delivery.id AND outcome = 'unconfirmed')
                """
            let times: StatementArguments = ["now": now, "kept": Int64(plan.kept * 1_000)]
            try db.execute(
                sql: """
                    UPDATE log_entry SET logged_ms = logged_ms - 91 * 86400000
                    WHERE delivery_id IN (SELECT id FROM delivery WHERE \(old))
                    """,
                arguments: times)
            try db.execute(
                sql: "UPDATE delivery SET finalized_ms = finalized_ms - 91 * 86400000 WHERE \(old)", arguments: times)
        }
    }

    private func sample(at second: Double) throws -> SoakSample {
        guard daemon.isRunning else { throw SandboxError("the daemon ended: \(daemon.errors.suffix(2_000))") }
        let open = try redeliver.number(
            "SELECT COUNT(*) FROM delivery WHERE finalized_ms IS NULL")
        return try SoakSample(of: daemon.pid, redeliver, open: open, at: second)
    }

    private func line(about sample: SoakSample) -> String {
        let figures = SoakFigure.allCases.map { figure in
            "\(figure.rawValue) " + String(format: "%.1f", sample.values[figure] ?? .nan)
        }
        return "\(Int(sample.second)) s: " + figures.joined(separator: "; ")
    }

    /// No more troubles: what failed has to arrive now.
    private func settle() async throws {
        try await sandbox.control(#"{"clear_faults":true,"outage":{"down":false}}"#)
        try await waitUntil("all have arrived and the daemon knows") {
            let summary = try await sandbox.summary()
            guard summary.arrived == summary.failedInitially else { return false }
            return try redeliver.number(
                "SELECT COUNT(*) FROM delivery WHERE finalized_ms IS NULL") == 0
        }
        #expect(try await daemon.stop() == .code(0))
    }
}
