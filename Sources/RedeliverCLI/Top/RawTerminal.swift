import DeliveryQueue
import Dispatch
import Foundation
import LocalFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The terminal in raw mode, with another screen and without a cursor. `leave` restores it.
final class RawTerminal {
    enum Event {
        /// Time is up.
        case tick
        /// The window has another size.
        case resized
        /// `q`, Ctrl-C, SIGINT, SIGTERM or SIGHUP, or the terminal is gone.
        case stop
    }

    /// Signals that would otherwise end the process and leave the terminal as it is.
    private static let endings = [SIGINT, SIGTERM, SIGHUP]
    private static let stopKeys: Set<UInt8> = [UInt8(ascii: "q"), UInt8(ascii: "Q"), 3, 4]
    // Private modes of xterm: 1049 is the other screen, 25 the cursor, 7 the automatic line break, which a wide
    // character could trigger.
    private static let takeOver = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l"
    private static let giveBack = "\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

    private let original: termios
    /// Signals arrive here as bytes, so that one `poll` waits for signals and keys.
    private let signals = Pipe()
    private var sources: [any DispatchSourceSignal] = []

    /// nil when standard input or output is no terminal, or when it cannot be drawn on (`TERM=dumb`).
    init?(environment: [String: String]) {
        var settings = termios()
        guard isatty(STDOUT_FILENO) == 1, environment["TERM"] != "dumb", tcgetattr(STDIN_FILENO, &settings) == 0
        else { return nil }
        original = settings
    }

    /// Signals are caught before the terminal is changed, so that none leaves it changed.
    func enter() {
        catchSignals()
        var raw = original
        cfmakeraw(&raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        write(Self.takeOver)
    }

    /// Unread keys are discarded, because they were not meant for the shell.
    func leave() {
        write(Self.giveBack)
        var settings = original
        tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        tcflush(STDIN_FILENO, TCIFLUSH)
        sources.forEach { $0.cancel() }
    }

    /// The present size; 80 × 24 when the terminal does not tell it.
    var size: TopFrame.Size {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return TopFrame.Size(columns: 80, rows: 24)
        }
        return TopFrame.Size(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    /// Draws over the old picture. Each line is cleared first; clearing it afterwards could remove its last character.
    func draw(_ lines: [String]) {
        write("\u{1B}[H" + lines.map { "\u{1B}[K" + $0 }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// Waits for a stop key, a signal, or the end of the time.
    func wait(upTo limit: Duration) -> Event {
        let end = ContinuousClock.now + limit
        while true {
            let left = max(0, (end - .now).wholeMilliseconds)
            var watched = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&watched, 2, Int32(clamping: left))
            if ready == 0 { return .tick }
            // An interruption is no event, because the signal arrives through the pipe.
            if ready < 0 && errno == EINTR { continue }
            guard ready > 0 else { return .stop }
            if watched[1].revents != 0 { return received(Self.bytes(from: watched[1].fd)) }
            let keys = Self.bytes(from: STDIN_FILENO)
            if keys.isEmpty || !Self.stopKeys.isDisjoint(with: keys) { return .stop }
        }
    }

    private func received(_ signals: [UInt8]) -> Event {
        signals.allSatisfy { $0 == UInt8(SIGWINCH) } ? .resized : .stop
    }

    private static func bytes(from descriptor: Int32) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, 256))
        }
    }

    private func catchSignals() {
        let ready = DispatchGroup()
        let pipe = signals.fileHandleForWriting
        for number in Self.endings + [SIGWINCH] {
            #if !os(Linux)
                signal(number, SIG_IGN)
            #endif
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            ready.enter()
            source.setRegistrationHandler { ready.leave() }
            source.setEventHandler { pipe.write(Data([UInt8(number)])) }
            source.resume()
            sources.append(source)
        }
        ready.wait()
    }

    /// A terminal that is gone shows at the next `wait`.
    private func write(_ text: String) {
        try? WholeWrite.write(Array(text.utf8), to: STDOUT_FILENO)
    }
}
