import ArgumentParser
import DeliveryWorker
import ProviderAPI

/// `redeliver events`.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Lists the provider's event types and their example payloads."
    )

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var output: RowOutputOptions

    @Flag(help: "Also print each example payload, indented.")
    var examples = false

    @Flag(help: "With --examples: print the payloads exactly as the provider sent them.")
    var raw = false

    func validate() throws {
        if raw && (output.json || output.csv) {
            throw ValidationError("--json and --csv have the exact payloads also without --raw")
        }
    }

    func run() async throws {
        try await Exit.onError {
            // Not in `validate`, which would hide a mistyped --examples.
            if raw && !examples { throw ValidationError("--raw needs --examples") }
            let settings = try configuration.load()
            let events = try await withProvider(settings) { try await $0.events() }
            let report = EventReport(events, withExamples: examples)
            if examples, !output.json, !output.csv {
                try StandardOutput.print(report.examples(on: .standardOutput, raw: raw))
            } else {
                try output.print(report.rows, report.table)
            }
        }
    }
}

/// What `redeliver events` prints.
struct EventReport {
    /// One event type of the JSON output.
    struct Row: Encodable, Equatable {
        let eventType: String
        let hasExample: Bool
        /// JSON as text, byte for byte, because decoding and encoding could change its numbers.
        let examplePayload: String?
    }

    let rows: [Row]
    private let events: [EventExample]
    private let withExamples: Bool

    /// In the provider's order.
    init(_ events: [EventExample], withExamples: Bool) {
        self.events = events
        self.withExamples = withExamples
        rows = events.map { event in
            Row(
                eventType: event.name, hasExample: event.payload != nil,
                examplePayload: withExamples ? event.payload.map { String(decoding: $0, as: UTF8.self) } : nil)
        }
    }

    var table: Table {
        var table = Table(["event_type", "example"] + (withExamples ? ["example_payload"] : []))
        table.rows = zip(rows, events).map { row, event in
            let size = Cell(ifAny: event.payload.map { "\($0.count) bytes" })
            return [Cell(row.eventType), size] + (withExamples ? [Cell(ifAny: row.examplePayload)] : [])
        }
        return table
    }

    /// Each event's name and its example.
    ///
    /// - Parameter raw: as the provider sent it; on a terminal control characters are masked even so.
    func examples(on terminal: Terminal, raw: Bool) -> String {
        events.map { event in
            let name = terminal.paint(Printable.text(event.name), .heading)
            guard let payload = event.payload else { return "\(name)\n(no example)" }
            let text = raw ? String(decoding: payload, as: UTF8.self) : JSONIndent.text(payload)
            let isPlain = raw && terminal == .plain
            return "\(name)\n\(isPlain ? text : Self.printable(text))"
        }.joined(separator: "\n\n")
    }

    private static func printable(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { Printable.text(String($0)) }
            .joined(separator: "\n")
    }
}
