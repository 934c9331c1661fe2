import Foundation
import LargeDatabase
import TestSupport
import Testing

/// Every reading command answers at once, however large the database is.
///
/// Times are judged on the release build and a million rows only (`make large`); otherwise the commands have to work.
@Suite(.serialized) struct LargeDatabaseTests {
    /// A command that reads, as it is typed.
    struct ReadCommand: Sendable {
        let arguments: [String]
        /// Where it finds the database.
        var place = Place.database
        /// Run before each time, so that the command has something to do.
        var before: [String] = []

        var name: String { (["redeliver"] + arguments).joined(separator: " ") }

        enum Place {
            /// `--database FILE` is added.
            case database
            /// `--config FILE` is added.
            case configuration
        }
    }

    /// The filters of `deliveries list`, alone and together; the last ones match nothing.
    private static let filters = [
        [], ["--limit", "1000"], ["--state", "scheduled"], ["--state", "dead"], ["--state", "dead", "--reason", "age"],
        ["--event-type", "profile_update"], ["--endpoint", "receiver-0"], ["--customer", "customer-31"],
        ["--since", "1h"], ["--until", "30d"], ["--since", "50d", "--until", "49d"],
        ["--state", "delivered", "--event-type", "event_type_7", "--customer", "customer-31"],
        ["--customer", "no-such-customer"], ["--event-type", "no_such_event"],
    ]

    private static let pause = ["endpoints", "pause", "receiver-0", "--reason", "timed"]
    private static let resume = ["endpoints", "resume", "receiver-0", "--reason", "timed"]

    /// Every command that a person waits for; `check` and `backup` may take as long as the database is large. Where a
    /// filter chooses, the dry run is timed, because it finds the same rows and leaves them for the next run.
    static let commands =
        [
            ReadCommand(arguments: ["status"]),
            ReadCommand(arguments: ["status", "--json"]),
            ReadCommand(arguments: ["policies"], place: .configuration),
            ReadCommand(arguments: ["policies", "profile_update"], place: .configuration),
            ReadCommand(arguments: ["policies", "profile_update", "--json"], place: .configuration),
            ReadCommand(arguments: ["deliveries", "show", "large-500"], place: .configuration),
            ReadCommand(arguments: ["deliveries", "show", "id:500", "--json"], place: .configuration),
            ReadCommand(arguments: ["deliveries", "retry", "--state", "dead"]),
            ReadCommand(arguments: ["deliveries", "requeue", "--state", "dead", "--event-type", "profile_update"]),
            ReadCommand(arguments: ["deliveries", "discard", "--state", "scheduled"]),
            ReadCommand(arguments: pause, place: .configuration, before: resume),
            ReadCommand(arguments: resume, place: .configuration, before: pause),
            ReadCommand(arguments: ["database", "prune"], place: .configuration),
            ReadCommand(arguments: ["doctor"], place: .configuration),
        ] + filters.map { ReadCommand(arguments: ["deliveries", "list"] + $0) }

    /// What docs/on-call.md asks of the views, and what its readers ask next.
    static let queries = [
        "SELECT * FROM v_timeline WHERE task_id = 'large-500'",
        "SELECT * FROM v_open ORDER BY age_s DESC LIMIT 20",
        "SELECT * FROM v_by_event_type",
        "SELECT * FROM v_by_endpoint",
    ]

    /// Short for `make test`; `make large` asks for a million.
    private static var wantedRows: Int {
        ProcessInfo.processInfo.environment["REDELIVER_TEST_ROWS"].flatMap(Int.init) ?? 20_000
    }

    private static let judgedRows = 1_000_000
    /// Times that nobody judges are taken once.
    private static let runs = Self.wantedRows >= judgedRows ? 5 : 1

    /// - Parameter openPercent: 5 is an ordinary day, 50 the day after a long outage.
    @Test(arguments: [5, 50]) func `every command and view answers in under a second on a million rows`(
        openPercent: Int
    ) async throws {
        try await withBench { bench in
            let rows = Self.wantedRows
            let redeliver = try bench.redeliver(RedeliverSettings(try await bench.sandbox("--failures", "2")))
            #expect(try await redeliver.once().ending == .code(0))
            try LargeDatabase(url: redeliver.database, rows: rows, openPercent: openPercent).fill()
            #expect(try redeliver.number("SELECT COUNT(*) FROM delivery") == rows + 2)

            var figures: [Figure] = []
            for command in Self.commands {
                let times = try await times(of: command, redeliver)
                figures.append(Figure(command.name, times))
            }
            let pictures = try await timesOfTop(redeliver)
            figures.append(Figure("redeliver top, first picture", pictures))
            for query in Self.queries {
                let times = try await times(ofQuery: query, redeliver)
                figures.append(Figure(query, times))
            }
            report(figures, rows: rows, openPercent: openPercent)
            guard rows >= Self.judgedRows else { return }
            for figure in figures {
                #expect(figure.median < .seconds(1), "\(figure.command) took \(figure.median)")
            }
        }
    }

    /// Sorted, the start of the process included.
    private func times(of command: ReadCommand, _ redeliver: RedeliverProcess) async throws -> [Duration] {
        let place =
            switch command.place {
            case .database: ["--database", redeliver.database.path]
            case .configuration: ["--config", redeliver.configuration.path]
            }
        var times: [Duration] = []
        for _ in 0..<Self.runs {
            if !command.before.isEmpty {
                let before = try await redeliver.bench.run("redeliver", command.before + place)
                #expect(before.ending == .code(0), "\(command.before): \(before.errors)")
            }
            let program = try redeliver.bench.start("redeliver", command.arguments + place)
            #expect(try await program.ending() == .code(0), "\(command.arguments): \(program.output)\(program.errors)")
            #expect(!program.output.isEmpty, "\(command.arguments)")
            times.append(program.took)
        }
        return times.sorted()
    }

    /// Sorted; by sqlite3, as a person asks.
    private func times(ofQuery query: String, _ redeliver: RedeliverProcess) async throws -> [Duration] {
        let sqlite = try #require(BuiltPrograms.tool("sqlite3"), "install sqlite3")
        var times: [Duration] = []
        for _ in 0..<Self.runs {
            let began = ContinuousClock.now
            let asked = try await redeliver.bench.run(sqlite, ["file:\(redeliver.database.path)?mode=ro", query])
            times.append(ContinuousClock.now - began)
            #expect(asked.ending == .code(0) && !asked.output.isEmpty, "\(query): \(asked.errors)")
        }
        return times.sorted()
    }

    /// Sorted; to the first picture in the terminal, with the coarseness of `waitUntil`.
    private func timesOfTop(_ redeliver: RedeliverProcess) async throws -> [Duration] {
        var times: [Duration] = []
        for _ in 0..<Self.runs {
            let terminal = try PseudoTerminal()
            let program = try redeliver.bench.start(
                "redeliver", ["top", "--database", redeliver.database.path], in: terminal)
            try await waitUntil("top draws") { terminal.picture.contains("LAST FAILURES") }
            times.append(program.took)
            terminal.type("q")
            #expect(try await program.ending() == .code(0), "\(program.errors)")
        }
        return times.sorted()
    }

    private struct Figure {
        let command: String
        let median: Duration
        let slowest: Duration

        /// - Parameter times: sorted, at least one.
        init(_ command: String, _ times: [Duration]) {
            self.command = command
            median = times[times.count / 2]
            slowest = times[times.count - 1]
        }
    }

    private func report(_ figures: [Figure], rows: Int, openPercent: Int) {
        let width = figures.map(\.command.count).max() ?? 0
        print("\(rows) deliveries, \(openPercent) % of them open; median and slowest, runs of each: \(Self.runs)")
        for figure in figures {
            let name = figure.command.padding(toLength: width, withPad: " ", startingAt: 0)
            print("  \(name)  \(milliseconds(figure.median))  \(milliseconds(figure.slowest))")
        }
    }

    private func milliseconds(_ duration: Duration) -> String {
        String(format: "%7.0f ms", duration / .milliseconds(1))
    }
}
