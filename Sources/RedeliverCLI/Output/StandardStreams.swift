import Foundation

/// Prints messages beside a command's result.
enum Note {
    /// A warning or hint on stderr, so that stdout holds nothing but the result.
    static func print(_ text: String) {
        LogLines.standardError.add("redeliver: \(text)\n")
        LogLines.standardError.flush()
    }
}

/// Standard output without a buffer, so that a pipe's reader gets everything at once and errors show. All results go
/// this way: `print` would leave them in a buffer and lose them without an error when the disk is full.
enum StandardOutput {
    /// Prints a result and a line break.
    static func print(_ text: String) throws(OutputFault) {
        try write(text + "\n")
    }

    static func write(_ text: String) throws(OutputFault) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            throw OutputFault("write to stdout", error)
        }
    }
}
