import Foundation
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

        enum Place {
            /// `--database FILE` is added.
            case database
            /// `--config FILE` is added.
            case configuration
        }
    }

    /// All commands that read; `check` and `backup` may take as long as the database is large.
    static let commands = [
        ReadCommand(arguments: ["status"]),
        ReadCommand(arguments: ["status", "--json"]),
        ReadCommand(arguments: ["policies"], place: .configuration),
        ReadCommand(arguments: ["policies", "profile_update"], place: .configuration),
        ReadCommand(arguments: ["policies", "profile_update", "--json"], place: .configuration),
    ]

    private static let judgedRows = 1_000_000
    private static let runs = 5

    /// - Parameter openPercent: 5 is an ordinary day, 50 the day after a long outage.
    @Test(arguments: [5, 50]) func `every reading command answers in under a second on a million rows`(
        openPercent: Int
    ) async throws {
        try await withBench { bench in
            let rows = LargeDatabase.wantedRows
            let redeliver = try bench.redeliver(RedeliverSettings(try await bench.sandbox("--failures", "2")))
            #expect(try await redeliver.once().ending == .code(0))
            try LargeDatabase(url: redeliver.database, rows: rows, openPercent: openPercent).fill()
            #expect(try redeliver.number("SELECT COUNT(*) FROM delivery") == rows + 2)

            var figures: [(command: String, median: Duration, slowest: Duration)] = []
            for command in Self.commands {
                let times = try await times(of: command, redeliver)
                figures.append((command.arguments.joined(separator: " "), times[Self.runs / 2], times[Self.runs - 1]))
            }
            let pictures = try await timesOfTop(redeliver)
            figures.append(("top, first picture", pictures[Self.runs / 2], pictures[Self.runs - 1]))
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
            let program = try redeliver.bench.start("redeliver", command.arguments + place)
            #expect(try await program.ending() == .code(0), "\(command.arguments): \(program.errors)")
            #expect(!program.output.isEmpty, "\(command.arguments)")
            times.append(program.took)
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

    private func report(
        _ figures: [(command: String, median: Duration, slowest: Duration)], rows: Int, openPercent: Int
    ) {
        let width = figures.map(\.command.count).max() ?? 0
        print("\(rows) deliveries, \(openPercent) % of them open; median and slowest of \(Self.runs) runs:")
        for figure in figures {
            let name = figure.command.padding(toLength: width, withPad: " ", startingAt: 0)
            print("  redeliver \(name)  \(milliseconds(figure.median))  \(milliseconds(figure.slowest))")
        }
    }

    private func milliseconds(_ duration: Duration) -> String {
        String(format: "%7.0f ms", duration / .milliseconds(1))
    }
}
