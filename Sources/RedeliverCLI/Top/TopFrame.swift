import DeliveryQueue
import Foundation
import ProviderAPI

/// One picture of `redeliver top`: lines that fit a window. Pure.
struct TopFrame {
    struct Size: Equatable {
        var columns: Int
        var rows: Int
    }

    let view: TopView
    let size: Size
    let hasColours: Bool

    /// In lines.
    private static let longestError = 4

    private var report: StatusReport { view.report }
    private var terminal: Terminal { Terminal(width: size.columns, hasColours: hasColours) }

    /// At most as many lines as the window has rows, none wider than it.
    var lines: [String] {
        let sections = [endpoints, eventTypes, failures]
        let free = size.rows - heading.count
        let shares = Self.shares(of: free, needs: sections.map { $0.rows.isEmpty ? 0 : $0.rows.count + Self.frame })
        let below = zip(sections, shares).flatMap { lines(of: $0, in: $1) }
        return (heading + below).prefix(max(size.rows, 0)).map { Self.clipped($0, to: size.columns) }
    }

    // MARK: - Above

    private var heading: [String] {
        let title = "redeliver top  \(view.now.iso8601)  q quits  \(Printable.text(view.database))"
        return [terminal.paint(title, .heading)] + trouble + [totals, due, calls]
    }

    /// How old the figures are, and why. Wrapped and not cut, because an error ends with its cause.
    private var trouble: [String] {
        guard let error = view.error else { return [] }
        let age = TimeText.duration(view.now - report.at)
        let text = Array(Printable.text("the figures below are \(age) old: \(error)"))
        let starts = stride(from: 0, to: text.count, by: max(size.columns, 1)).prefix(Self.longestError)
        return starts.map { start in
            terminal.paint(String(text[start..<min(start + max(size.columns, 1), text.count)]), .bad)
        }
    }

    private var totals: String {
        let totals = report.totals
        return """
            \(totals.scheduled) scheduled, \(totals.attempting) in flight, \(totals.awaiting) awaiting, \
            \(held(totals.held)), \(totals.delivered) delivered, \(totals.dead) dead
            """
    }

    private func held(_ count: Int) -> String {
        terminal.paint("\(count) held", count > 0 ? .warning : .plain)
    }

    /// Only of endpoints that are not held.
    private var due: String {
        let free = report.endpoints.filter { $0.isActive && $0.heldBecause == nil }
        let counts = QueueActivity.horizons.enumerated().map { place, horizon in
            let count = free.compactMap { view.activity.due[$0.id]?.counts[place] }.reduce(0, +)
            return horizon == .zero ? "\(count) now" : "\(count) in \(Int(horizon.inSeconds / 60)) min"
        }
        return "due: \(counts.joined(separator: ", ")); next attempt \(report.nextAttempt.map(age) ?? "none")"
    }

    private var calls: String {
        let current = view.rate.current.map { "\(Self.rate($0)) now, " } ?? ""
        let lately = view.rate.lately.map {
            "\(Self.rate($0.perSecond)) in the last \(TimeText.duration($0.over)) (\($0.calls) calls), "
        }
        return "calls: \(current)\(lately ?? "")\(report.retryCalls) in all, \(report.unconfirmedCalls) unconfirmed"
    }

    private static func rate(_ perSecond: Double) -> String {
        String(format: "%.1f/s", perSecond)
    }

    // MARK: - Tables

    /// Endpoints in trouble come first, so that a small window shows them.
    private var endpoints: Table {
        let inTrouble = report.endpoints.filter { $0.isActive && ($0.heldBecause != nil || $0.lastPollError != nil) }
        let rest = report.endpoints.filter { endpoint in !inTrouble.contains { $0.id == endpoint.id } }
        return Table(
            ["endpoint", "state", "open", "due", "last_poll", "last_poll_error"],
            (inTrouble + rest.filter(\.isActive) + rest.filter { !$0.isActive }).map { endpoint in
                [
                    Cell(endpoint.name), state(of: endpoint), "\(endpoint.open)",
                    "\(view.activity.due[endpoint.id]?.counts.first ?? 0)",
                    Cell(endpoint.lastPoll.map(age) ?? "never"), Cell(ifAny: endpoint.lastPollError, style: .bad),
                ]
            })
    }

    private func state(of endpoint: QueueSnapshot.Endpoint) -> Cell {
        guard endpoint.isActive else { return Cell("not configured", style: .faint) }
        guard let reason = endpoint.heldBecause else { return Cell("active", style: .good) }
        let since = endpoint.heldSince.map { " since \(TimeText.duration(view.now - $0))" } ?? ""
        return Cell("held: \(reason.rawValue)\(since)", style: .warning)
    }

    /// Event types with most open deliveries come first.
    private var eventTypes: Table {
        func open(_ type: StatusReport.EventType) -> Int {
            type.totals.scheduled + type.totals.attempting + type.totals.awaiting
        }
        let types = report.eventTypes.sorted {
            (open($0), $0.totals.dead, $1.eventType) > (open($1), $1.totals.dead, $0.eventType)
        }
        return Table(
            ["event_type", "scheduled", "in_flight", "awaiting", "delivered", "dead", "oldest_open"],
            types.map { type in
                [
                    Cell(type.eventType), "\(type.totals.scheduled)", "\(type.totals.attempting)",
                    "\(type.totals.awaiting)", "\(type.totals.delivered)",
                    Cell("\(type.totals.dead)", style: type.totals.dead > 0 ? .bad : .plain),
                    Cell(ifAny: type.oldestFailure.map(age)),
                ]
            })
    }

    private var failures: Table {
        Table(
            ["last_failures", "delivery", "endpoint", "event_type", "state", "error"],
            view.activity.failures.map { failure in
                [
                    Cell(TimeText.relative(failure.failed, at: view.now)), "\(failure.deliveryID)",
                    Cell(failure.endpoint), Cell(failure.eventType), Cell(failure.state.rawValue),
                    Cell(ifAny: failure.error),
                ]
            })
    }

    private func age(_ time: Timestamp) -> String { TimeText.relative(time, at: view.now) }
}

// MARK: - Fitting the window

extension TopFrame {
    /// Lines of a section beside its rows: an empty line and the heading.
    fileprivate static let frame = 2
    /// The least lines of a section: one row, and a line that counts the others.
    private static let smallest = frame + 2

    /// Shares the lines: first each section gets the least that makes sense, then one line after another.
    static func shares(of available: Int, needs: [Int]) -> [Int] {
        var left = available
        var shares = needs.map { need in
            let least = min(need, smallest)
            guard least <= left else { return 0 }
            left -= least
            return least
        }
        while left > 0 {
            let hungry = needs.indices.filter { shares[$0] > 0 && shares[$0] < needs[$0] }
            if hungry.isEmpty { break }
            for place in hungry where left > 0 {
                shares[place] += 1
                left -= 1
            }
        }
        return shares
    }

    private func lines(of section: Table, in share: Int) -> [String] {
        guard share > 0 else { return [] }
        let fits = section.rows.count + Self.frame <= share
        let shown = fits ? section.rows.count : share - Self.frame - 1
        let table = Table(section.columns, Array(section.rows.prefix(shown)))
        let more = fits ? [] : [terminal.paint("… \(section.rows.count - shown) more", .faint)]
        return [""] + table.text(on: terminal).components(separatedBy: "\n") + more
    }

    /// Cuts a line to a width. Colour codes do not count; colours end at the cut.
    static func clipped(_ line: String, to columns: Int) -> String {
        var (clipped, width, isEscape, hasEscapes) = ("", 0, false, false)
        for character in line {
            if character == "\u{1B}" { (isEscape, hasEscapes) = (true, true) }
            if isEscape {
                isEscape = character != "m"
            } else if width < columns {
                width += 1
            } else {
                return clipped + (hasEscapes ? "\u{1B}[0m" : "")
            }
            clipped.append(character)
        }
        return clipped
    }
}
