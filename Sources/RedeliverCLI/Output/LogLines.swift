import Dispatch
import LocalFiles
import Logging
import ProviderAPI
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Lines on their way to stderr. Nobody who adds one ever waits: a pipe that nobody reads must not stop the work.
///
/// A thread of its own writes them. While it is stuck, lines wait in memory up to a limit; what comes then is dropped,
/// counted, and said as soon as lines go through again.
final class LogLines: Sendable {
    /// An error of stderr cannot be reported anywhere.
    static let standardError = LogLines { try? WholeWrite.write(Array($0.utf8), to: STDERR_FILENO) }

    private struct Waiting {
        var bytes = 0
        var dropped = 0
    }

    private let waiting = Mutex(Waiting())
    private let writer = DispatchQueue(label: "redeliver.log")
    private let output: @Sendable (String) -> Void

    /// A few thousand lines, in bytes.
    static let mostBytes = 1 << 20
    /// How long the end of the process waits for lines that are still on their way.
    private static let lastWait = DispatchTimeInterval.seconds(1)

    /// - Parameter output: writes a text; it may take as long as it likes.
    init(_ output: @escaping @Sendable (String) -> Void) {
        self.output = output
    }

    /// Adds a line with its line break, or several. Whatever stands in them, none steers a terminal.
    func add(_ line: String) {
        let line = Printable.lines(line)
        let text: String? = waiting.withLock { waiting in
            guard waiting.bytes + line.utf8.count <= Self.mostBytes else {
                waiting.dropped += 1
                return nil
            }
            let text = Self.note(dropped: waiting.dropped) + line
            waiting.dropped = 0
            waiting.bytes += text.utf8.count
            return text
        }
        guard let text else { return }
        writer.async { [self] in
            output(text)
            waiting.withLock { $0.bytes -= text.utf8.count }
        }
    }

    /// Waits until everything is written, but not for long. The last thing that a process does.
    func flush() {
        let dropped = waiting.withLock { waiting in
            defer { waiting.dropped = 0 }
            return waiting.dropped
        }
        let isWritten = DispatchSemaphore(value: 0)
        writer.async { [output] in
            if dropped > 0 { output(Self.note(dropped: dropped)) }
            isWritten.signal()
        }
        _ = isWritten.wait(timeout: .now() + Self.lastWait)
    }

    private static func note(dropped: Int) -> String {
        dropped == 0 ? "" : "redeliver: \(dropped) lines of the log were dropped here, because nobody read stderr\n"
    }
}

/// The stream of the loggers.
struct LogStream: TextOutputStream, Sendable {
    func write(_ text: String) {
        LogLines.standardError.add(Self.entry(text))
    }

    /// One entry of the log. What follows a line break inside of it is indented, so that no text from outside can look
    /// like an entry of its own.
    static func entry(_ text: String) -> String {
        // By scalars, as in `Printable.lines`.
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        let isEnded = lines.last?.isEmpty ?? false
        if isEnded { lines.removeLast() }
        return lines.joined(separator: "\n    ") + (isEnded ? "\n" : "")
    }

    /// A handler whose lines go to stderr.
    static func handler(label: String) -> StreamLogHandler {
        StreamLogHandler(label: label, stream: LogStream())
    }
}
