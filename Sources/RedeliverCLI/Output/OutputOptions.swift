import ArgumentParser
import Foundation

/// `--json`, for commands that answer with one thing.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print stable JSON for scripts; times are Unix seconds.")
    var json = false

    /// Prints a report for scripts or for people.
    func print(_ report: some Encodable, text: (Terminal) -> String) throws {
        Swift.print(json ? try JSONOutput.text(report) : text(.standardOutput))
    }
}

/// `--json` and `--csv`, for commands that answer with rows.
struct RowOutputOptions: ParsableArguments {
    @Flag(help: "Print stable JSON for scripts; times are Unix seconds.")
    var json = false

    @Flag(help: "Print comma-separated values (RFC 4180); times are UTC.")
    var csv = false

    func validate() throws {
        if json && csv { throw ValidationError("--json and --csv exclude each other") }
    }

    /// Prints rows for scripts or for people.
    ///
    /// - Parameters:
    ///   - report: what `--json` prints.
    ///   - table: what `--csv` prints, and people see with `footer` below it.
    ///   - footer: a line for people only, such as how many rows were left out; nil: none.
    func print(_ report: some Encodable, _ table: Table, footer: String? = nil) throws {
        if json { return Swift.print(try JSONOutput.text(report)) }
        if csv { return Swift.print(table.csv, terminator: "") }
        Swift.print(table.text(on: .standardOutput))
        if let footer { Swift.print("\n\(footer)") }
    }
}

/// The one shape of all JSON that we print: keys in snake case and sorted, so that outputs can be compared.
enum JSONOutput {
    static func text(_ report: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }
}
