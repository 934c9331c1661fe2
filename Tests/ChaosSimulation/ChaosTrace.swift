/// What happened in a run, line by line: equal runs give equal traces.
package struct ChaosTrace: Sendable {
    package private(set) var lines: [String] = []

    mutating func note(_ text: String, at time: Duration) {
        lines.append("\(Self.clock(time)) \(text)")
    }

    /// FNV-1a over all lines.
    package var digest: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for line in lines {
            for byte in line.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 10) &* 0x100_0000_01b3
        }
        return hash
    }

    /// Days, hours, minutes, seconds and milliseconds since the beginning.
    static func clock(_ time: Duration) -> String {
        let milliseconds = time.components.seconds * 1_000 + time.components.attoseconds / 1_000_000_000_000_000
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        let parts = [seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60].map(String.init)
        let padding = String(repeating: "0", count: 3 - String(rest).count)
        return "\(parts[0])d\(parts[1]):\(parts[2]):\(parts[3]).\(padding)\(rest)"
    }
}

/// A promise that did not hold.
package struct ChaosViolation: Error, Sendable, CustomStringConvertible {
    /// The promise, in a few words.
    package var promise: String
    package var detail: String
    package var time: Duration

    package var description: String { "\(ChaosTrace.clock(time)) \(promise): \(detail)" }
}
