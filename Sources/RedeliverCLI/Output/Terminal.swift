import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The abilities of the output: a pipe or a file has neither width nor colours.
struct Terminal: Sendable, Equatable {
    /// Characters per line; nil for no limit.
    var width: Int?
    var hasColours: Bool

    static let plain = Terminal(width: nil, hasColours: false)

    /// Standard output as it is now. `NO_COLOR` (no-color.org) and `TERM=dumb` switch the colours off.
    static var standardOutput: Terminal {
        guard isatty(STDOUT_FILENO) == 1 else { return .plain }
        let environment = ProcessInfo.processInfo.environment
        let isRefused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return Terminal(
            width: isKnown ? Int(size.ws_col) : 80, hasColours: !isRefused && environment["TERM"] != "dumb")
    }

    func paint(_ text: String, _ style: Style) -> String {
        guard hasColours, let code = style.code else { return text }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }
}

/// The meaning of a piece of text, which a terminal shows as a colour.
enum Style: Sendable, Equatable {
    case plain, heading, good, warning, bad, faint

    /// The parameter of the "select graphic rendition" sequence (ECMA-48, 8.3.117).
    fileprivate var code: String? {
        switch self {
        case .plain: nil
        case .heading: "1"
        case .good: "32"
        case .warning: "33"
        case .bad: "31"
        case .faint: "2"
        }
    }
}
