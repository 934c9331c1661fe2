import Foundation
import ProviderAPI

/// What a command says beside its result.
enum Note {
    /// A warning or hint on stderr, so that stdout holds nothing but the result.
    static func print(_ text: String) {
        // What the provider wrote may stand in it. Errors with several lines keep them.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Printable.text(String($0)) }
        // Without a reader there is nobody to tell.
        try? FileHandle.standardError.write(contentsOf: Data("redeliver: \(lines.joined(separator: "\n"))\n".utf8))
    }
}

/// Standard output without a buffer: what was printed is with the reader, also in a pipe, and a failure shows. All results
/// go this way: `print` leaves them in a buffer, and what a full disk does not take is lost without a word.
enum StandardOutput {
    /// A result and the line break behind it.
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
