import Foundation

/// A place in the unchanged program at which the library of `Tests/KillPoints`, preloaded, ends it with a signal.
struct KillPoint: Sendable, CustomStringConvertible {
    /// As `KillPoints.h` lists them, such as `wal-write` or `retry-body/after`.
    let kind: String
    /// From 1: at which event of this kind.
    let number: Int

    init(_ kind: String, _ number: Int = 1) {
        self.kind = kind
        self.number = number
    }

    var description: String { "\(kind):\(number)" }

    /// For the program that shall be ended.
    ///
    /// - Parameter signal: 0: it is not ended; the call never returns.
    /// - Throws: when the library is not built.
    func environment(signal: Int32 = SIGKILL) throws -> [String: String] {
        ["LD_PRELOAD": try Self.library(), "KILL_AT": description, "KILL_SIGNAL": "\(signal)"]
    }

    /// For a program that shall believe that its files lie on a file system of this type.
    static func environment(fileSystem type: String) throws -> [String: String] {
        ["LD_PRELOAD": try library(), "KILL_FILE_SYSTEM": type]
    }

    /// For a program whose wall clock is so many seconds ahead, or behind when negative.
    static func environment(clockAhead seconds: Int) throws -> [String: String] {
        ["LD_PRELOAD": try library(), "KILL_CLOCK_AHEAD": "\(seconds)"]
    }

    /// What the program last did on the network before it was killed at a point: `retry-request`, `retry-answer`,
    /// `log-answer` or `nothing`; nil when no point was reached.
    static func lastTalk(in errors: String) -> String? {
        guard let line = errors.split(separator: "\n").last(where: { $0.hasPrefix("killed at ") }) else { return nil }
        return line.split(separator: " ").last.map(String.init)
    }

    private static func library() throws -> String {
        try BuiltPrograms.url(of: "libKillPoints.so").path
    }
}
