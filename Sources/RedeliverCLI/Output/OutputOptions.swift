import ArgumentParser
import Foundation
import ProviderAPI

/// `--json`, for commands with one result.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print stable JSON for scripts; times are Unix seconds.")
    var json = false

    /// Prints a report for scripts or for people.
    func print(_ report: some Encodable, text: (Terminal) -> String) throws {
        try StandardOutput.print(json ? try JSONOutput.text(report) : text(.standardOutput))
    }
}

/// `--json`, `--csv` and `--raw-csv`, for commands that print rows.
struct RowOutputOptions: ParsableArguments {
    @Flag(help: "Print stable JSON for scripts; times are Unix seconds.")
    var json = false

    @Flag(
        name: .customLong("csv"),
        help: """
            Print comma-separated values (RFC 4180); times are UTC. A text that a spreadsheet would run begins with an \
            apostrophe.
            """)
    private var safeCSV = false

    @Flag(name: .customLong("raw-csv"), help: "Print comma-separated values with every byte as it is, for programs.")
    var rawCSV = false

    /// Whether either CSV is wanted.
    var csv: Bool { safeCSV || rawCSV }

    func validate() throws {
        if safeCSV && rawCSV { throw ValidationError("--csv and --raw-csv cannot be used together") }
        if json && csv { throw ValidationError("--json and --csv cannot be used together") }
    }

    /// Prints rows for scripts or for people.
    ///
    /// - Parameters:
    ///   - report: what `--json` prints.
    ///   - table: what the CSV has, and what people see.
    ///   - footer: a line below the table for people, such as how many rows were left out.
    func print(_ report: some Encodable, _ table: Table, footer: String? = nil) throws {
        if json { return try StandardOutput.print(try JSONOutput.text(report)) }
        let terminal = Terminal.standardOutput
        if csv { return try StandardOutput.write(table.csv(on: terminal, isRaw: rawCSV)) }
        try StandardOutput.print(table.text(on: terminal) + (footer.map { "\n\n\($0)" } ?? ""))
    }
}

/// The form of all JSON that we print: keys in snake case and sorted, so that outputs can be compared.
enum JSONOutput {
    static func text(_ report: some Encodable) throws -> String {
        try text(report, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    /// One value on one line, for endless outputs.
    static func line(_ report: some Encodable) throws -> String {
        try text(report, [.sortedKeys, .withoutEscapingSlashes])
    }

    private static func text(_ report: some Encodable, _ formatting: JSONEncoder.OutputFormatting) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return escaped(String(decoding: try encoder.encode(report), as: UTF8.self))
    }

    /// The encoder does not escape control characters above U+007E, and some of them steer a terminal. They occur in
    /// strings only, where an escape means the same.
    private static func escaped(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: isUnsafe) else { return json }
        return json.unicodeScalars.map { scalar in
            guard isUnsafe(scalar) else { return String(scalar) }
            return String(scalar).utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }.joined()
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        scalar != "\n" && scalar.steersDisplay
    }
}
