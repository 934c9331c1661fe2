import Foundation

extension StatusReport {
    /// For people: plain text, columns aligned, ages relative to the moment of reading.
    var text: String {
        [summary, eventTypeTable, endpointTable].joined(separator: "\n\n")
    }

    private var summary: String {
        """
        \(totals.delivered) delivered, \(totals.scheduled) scheduled, \(totals.attempting) attempting, \
        \(totals.awaiting) awaiting, \(totals.held) held, \(totals.dead) dead
        \(retryCalls) retry calls, \(unconfirmedCalls) of them unconfirmed; \
        \(unreadableEntries) unreadable log entries
        next attempt \(nextAttempt.map(relative) ?? "none"); database \(databaseBytes + walBytes) bytes at \(database)
        """
    }

    private var eventTypeTable: String {
        guard !eventTypes.isEmpty else { return "no deliveries yet" }
        var rows = [["EVENT TYPE", "SCHEDULED", "ATTEMPTING", "AWAITING", "DELIVERED", "DEAD", "OLDEST OPEN"]]
        rows += eventTypes.map { type in
            let reasons = type.deadByReason.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            let dead = reasons.isEmpty ? "0" : "\(type.totals.dead) (\(reasons.joined(separator: ", ")))"
            return [
                printable(type.eventType), "\(type.totals.scheduled)", "\(type.totals.attempting)",
                "\(type.totals.awaiting)", "\(type.totals.delivered)", dead, type.oldestFailure.map(relative) ?? "-",
            ]
        }
        return TextTable.lines(rows)
    }

    private var endpointTable: String {
        var rows = [["ENDPOINT", "OPEN", "LAST POLL", "READ UP TO", "HELD", "LAST POLL ERROR"]]
        rows += endpoints.map { endpoint in
            let held = endpoint.active ? endpoint.heldBecause ?? "-" : "not configured"
            return [
                printable(endpoint.name), "\(endpoint.open)", endpoint.lastPoll.map(relative) ?? "never",
                endpoint.logReadUpTo.map(relative) ?? "-", held, printable(endpoint.lastPollError ?? "-"),
            ]
        }
        return TextTable.lines(rows)
    }

    /// `12 s ago`, `in 3 min`.
    private func relative(_ time: Double) -> String {
        let seconds = time - at
        let text =
            switch abs(seconds) {
            case ..<100: "\(Int(abs(seconds).rounded())) s"
            case ..<6_000: "\(Int((abs(seconds) / 60).rounded())) min"
            case ..<172_800: "\(Int((abs(seconds) / 3_600).rounded())) h"
            default: "\(Int((abs(seconds) / 86_400).rounded())) d"
            }
        return seconds > 0 ? "in \(text)" : "\(text) ago"
    }

    /// Names come from the provider: nothing in them may control the terminal.
    private func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }
}

/// Aligned columns, two spaces apart.
enum TextTable {
    static func lines(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell.padding(toLength: widths[column], withPad: " ", startingAt: 0)
            }
            return cells.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
