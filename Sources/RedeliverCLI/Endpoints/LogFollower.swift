import ArgumentParser
import DeliveryWorker
import Foundation
import ProviderAPI

/// `redeliver endpoints logs --follow`: reads again and again, also after errors.
struct LogFollower: Sendable {
    let endpoint: ProviderEndpoint
    let client: ProviderClient
    /// From the end of one reading to the beginning of the next.
    let interval: Duration
    let printer: LogPrinter

    /// Ends when it is cancelled.
    ///
    /// - Throws: `ProviderError` when the provider refuses the first reading: a wrong endpoint stays wrong.
    func run(_ tail: LogTail) async throws {
        var tail = tail
        var printer = printer
        var hasRead = false
        while !Task.isCancelled {
            do {
                let reading = try await tail.read(endpoint.id, from: client)
                hasRead = true
                try printer.print(reading.lines)
                if let fault = reading.fault { Note.print("\(fault)") }
            } catch let error as ProviderError where error.kind != .cancelled {
                guard hasRead || Exit.code(for: error) != Exit.refused else { throw error }
                Note.print("\(error); next reading in \(TimeText.duration(interval))")
            }
            try await Task.sleep(for: interval)
        }
    }
}

/// Prints lines of a log as they come: one heading, then rows.
struct LogPrinter: Sendable {
    let json: Bool
    let csv: Bool
    private let rawCSV: Bool
    private var widths: [Int] = []
    private var hasHeading = false

    init(json: Bool, csv: Bool, rawCSV: Bool = false) {
        self.json = json
        self.csv = csv
        self.rawCSV = rawCSV
    }

    /// - Throws: `OutputFault` when stdout cannot be written, for instance because its reader is gone.
    mutating func print(_ lines: [LogTail.Line]) throws {
        try StandardOutput.write(try text(of: lines, on: .standardOutput))
    }

    mutating func text(of lines: [LogTail.Line], on terminal: Terminal) throws -> String {
        if json { return try lines.map { try JSONOutput.line($0) + "\n" }.joined() }
        var table = LogTail.Line.table(lines, at: nil)
        let text = csv ? table.csv(on: terminal, isRaw: rawCSV) : aligned(&table, on: terminal)
        defer { hasHeading = true }
        return hasHeading ? String(text.drop { $0 != "\n" }.dropFirst()) : text
    }

    /// Later rows keep the widths of earlier ones, so that columns stay in place.
    private mutating func aligned(_ table: inout Table, on terminal: Terminal) -> String {
        let columns = table.columns.indices.dropLast()
        widths = columns.map { column in
            let texts = table.rows.map { $0[column].text.count }
            return max(widths.isEmpty ? 0 : widths[column], table.columns[column].count, texts.max() ?? 0)
        }
        for row in table.rows.indices {
            for column in columns {
                let cell = table.rows[row][column]
                let text = cell.text.padding(toLength: widths[column], withPad: " ", startingAt: 0)
                table.rows[row][column] = Cell(text, style: cell.style)
            }
        }
        return table.text(on: terminal) + "\n"
    }
}
