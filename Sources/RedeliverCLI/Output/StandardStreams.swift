import Foundation

/// What a command says beside its result.
enum Note {
    /// A warning or hint on stderr, so that stdout holds nothing but the result.
    static func print(_ text: String) {
        // Without a reader there is nobody to tell.
        try? FileHandle.standardError.write(contentsOf: Data("redeliver: \(text)\n".utf8))
    }
}

/// Standard output without a buffer: what was printed is with the reader, also in a pipe, and a failure shows.
enum StandardOutput {
    static func write(_ text: String) throws(OutputFault) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            throw OutputFault("write to stdout", error)
        }
    }
}
