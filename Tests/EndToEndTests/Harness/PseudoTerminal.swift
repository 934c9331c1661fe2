import Foundation
import Synchronization

/// A terminal without a window, and a program that believes to be in it.
final class PseudoTerminal: Sendable {
    /// What we hold: the side of the keyboard and the screen.
    private let master: Int32
    /// The program's side; kept open so that its settings can be looked at when the program is gone.
    private let slave: Int32
    private let screen = Mutex<[UInt8]>([])

    /// - Throws: `SandboxError` when the system gives none.
    init(columns: UInt16 = 120, rows: UInt16 = 40) throws {
        var (master, slave): (Int32, Int32) = (-1, -1)
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        guard openpty(&master, &slave, nil, nil, &size) == 0 else {
            throw SandboxError("the system gives no pseudo-terminal: error \(errno)")
        }
        (self.master, self.slave) = (master, slave)
        for descriptor in [master, slave] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK)
    }

    deinit {
        close(master)
        close(slave)
    }

    /// What the program is given as its input and output.
    var handle: FileHandle { FileHandle(fileDescriptor: slave, closeOnDealloc: false) }

    func resize(columns: UInt16, rows: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    func type(_ keys: String) {
        let bytes = Array(keys.utf8)
        _ = write(master, bytes, bytes.count)
    }

    /// Everything that was written to the screen so far.
    var written: String {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(master, &buffer, buffer.count)
            guard count > 0 else { break }
            let part = buffer[..<count]
            screen.withLock { $0 += part }
        }
        return String(decoding: screen.withLock { $0 }, as: UTF8.self)
    }

    /// The last picture that is complete: from the upper left corner to where the rest is cleared.
    var picture: String {
        let frames = written.components(separatedBy: "\u{1B}[H").dropFirst()
        let complete = frames.last { $0.contains("\u{1B}[J") } ?? ""
        return complete.replacing(/\u{1B}\[[0-9?]*[a-zA-Z]/, with: "")
    }

    /// The terminal's settings as bytes, to be compared.
    var settings: [UInt8] {
        var settings = termios()
        guard tcgetattr(slave, &settings) == 0 else { return [] }
        return withUnsafeBytes(of: &settings) { Array($0) }
    }
}

extension Bench {
    /// Starts one of the built programs in a terminal with colours; it is stopped when the test ends.
    func start(
        _ name: String, _ arguments: [String], in terminal: PseudoTerminal, environment: [String: String] = [:]
    ) throws -> RunningProgram {
        let usual = ["TERM": "xterm-256color", "NO_COLOR": ""]
        return try start(
            try BuiltPrograms.url(of: name), arguments, environment: usual.merging(environment) { $1 },
            terminal: terminal)
    }
}
