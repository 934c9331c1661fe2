import Dispatch
import Synchronization
import Testing

@testable import RedeliverCLI

/// The daemon's log while nobody reads stderr.
@Suite struct LogLinesTests {
    /// A stderr that takes nothing until it is opened.
    private final class Pipe: Sendable {
        private let isOpen = DispatchSemaphore(value: 0)
        private let texts = Mutex("")

        var text: String { texts.withLock { $0 } }

        func open() { isOpen.signal() }

        func take(_ text: String) {
            isOpen.wait()
            isOpen.signal()
            texts.withLock { $0 += text }
        }
    }

    @Test func `nobody waits for a pipe that is full, and what is dropped is counted and said`() {
        let pipe = Pipe()
        let lines = LogLines { pipe.take($0) }
        let line = String(repeating: "x", count: 1_023) + "\n"
        let fitting = LogLines.mostBytes / line.utf8.count

        for _ in 0..<fitting + 7 { lines.add(line) }
        #expect(pipe.text.isEmpty)
        pipe.open()
        lines.flush()
        lines.add("after\n")
        lines.flush()

        let note = "redeliver: 7 lines of the log were dropped here, because nobody read stderr\n"
        #expect(pipe.text == String(repeating: line, count: fitting) + note + "after\n")
    }

    @Test func `lines keep their order`() {
        let pipe = Pipe()
        let lines = LogLines { pipe.take($0) }
        pipe.open()
        for number in 0..<1_000 { lines.add("\(number)\n") }
        lines.flush()
        #expect(pipe.text == (0..<1_000).map { "\($0)\n" }.joined())
    }

    @Test func `no text in a line steers a terminal`() {
        let pipe = Pipe()
        let lines = LogLines { pipe.take($0) }
        pipe.open()
        lines.add("one \u{1B}[2J\u{202E}\ntwo\u{9B}\n")
        lines.flush()
        #expect(pipe.text == "one \u{FFFD}[2J\u{FFFD}\ntwo\u{FFFD}\n")
    }

    @Test func `no text in an entry of the log looks like another entry`() {
        #expect(LogStream.entry("a: b\n2026-01-01 critical\n") == "a: b\n    2026-01-01 critical\n")
        #expect(LogStream.entry("a\n") == "a\n")
        #expect(LogStream.entry("a\r\nb\r\n") == "a\r\n    b\r\n")
        let pipe = Pipe()
        let lines = LogLines { pipe.take($0) }
        pipe.open()
        for text in ["x=a\r\n", "b\n"] { lines.add(LogStream.entry(text)) }
        lines.flush()
        #expect(pipe.text == "x=a\u{FFFD}\nb\n")
    }

    /// The end of the process must not wait for a pipe either.
    @Test func `the last wait ends by itself`() {
        let pipe = Pipe()
        let lines = LogLines { pipe.take($0) }
        lines.add("stuck\n")
        lines.flush()
        #expect(pipe.text.isEmpty)
        pipe.open()
    }
}
