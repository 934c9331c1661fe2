import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The progress: a line that is rewritten on a terminal, and a new line every two seconds elsewhere.
final class ProgressLine {
    private let isTerminal = isatty(STDOUT_FILENO) == 1
    private var lastPrinted = -2

    func show(_ status: Redeliver.Status, after seconds: Int) {
        let totals = status.totals
        let text = """
            \(seconds) s: \(totals.delivered) delivered / \(totals.open - totals.held) waiting / \(totals.held) held / \
            \(totals.dead) dead, \(status.retryCalls) calls made
            """
        if isTerminal {
            Screen.write("\r\u{1B}[K" + text)
        } else if seconds - lastPrinted >= 2 {
            lastPrinted = seconds
            Screen.say(text)
        }
    }

    func end() {
        Screen.say("")
    }
}

/// Writes to standard output without a buffer, so that our lines and those of other programs keep their order.
enum Screen {
    static func say(_ text: String) {
        write(text + "\n")
    }

    static func write(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}
