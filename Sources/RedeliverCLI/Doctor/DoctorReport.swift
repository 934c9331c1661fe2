import DeliveryQueue
import Doctor
import ProviderAPI

/// What `redeliver doctor` prints, as JSON and as text.
struct DoctorReport: Encodable {
    let at: Double
    /// No check is bad; there may be warnings.
    let healthy: Bool
    let checks: [Finding]
    /// What `--fix` did, one sentence for each repair.
    let fixed: [String]
    /// What `--fix` could not do, with the cause.
    let notFixed: [String]

    init(_ findings: [Finding], repairs: [DoctorRepair.Outcome] = [], at now: Timestamp) {
        at = now.seconds
        healthy = !findings.contains { $0.verdict == .bad }
        checks = findings
        fixed = repairs.compactMap { if case .fixed(let sentence) = $0 { sentence } else { nil } }
        notFixed = repairs.compactMap { if case .failed(let sentence) = $0 { sentence } else { nil } }
    }

    /// For people: a table, and below it what to do.
    func text(on terminal: Terminal) -> String {
        let parts = [fixedText, table.text(on: terminal), advice(on: terminal), summary(on: terminal)]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private var fixedText: String {
        (fixed.map { "fixed: \($0)" } + notFixed.map { "not fixed: \($0)" }).map(Printable.text).joined(separator: "\n")
    }

    private var table: Table {
        Table(
            ["check", "verdict", "found"],
            checks.map { [Cell($0.name), Cell($0.verdict.rawValue, style: $0.verdict.style), Cell($0.found)] })
    }

    private func advice(on terminal: Terminal) -> String {
        checks.filter { $0.verdict != .ok }.map { check in
            let lines = ["found: \(check.found)"] + (check.advice.map { ["to do: \($0)"] } ?? [])
            return terminal.paint(Printable.text(check.name), check.verdict.style)
                + lines.map { "\n  \(Printable.text($0))" }.joined()
        }.joined(separator: "\n")
    }

    private func summary(on terminal: Terminal) -> String {
        let counts = Finding.Verdict.allCases.map { verdict in (verdict, checks.count { $0.verdict == verdict }) }
        let text = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0.rawValue)" }.joined(separator: ", ")
        return terminal.paint(healthy ? "healthy" : "not healthy", healthy ? .good : .bad) + ": \(text)"
    }
}

extension Finding.Verdict {
    fileprivate var style: Style {
        switch self {
        case .ok: .good
        case .warning: .warning
        case .bad: .bad
        case .unknown: .faint
        }
    }
}
