import Foundation

/// A result that could not be handed over: the disk is full, or the reader is gone.
struct OutputFault: Error, CustomStringConvertible {
    /// For example `write the secret to /run/secret`.
    let operation: String
    let cause: String

    init(_ operation: String, _ error: any Error) {
        self.operation = operation
        cause = error.localizedDescription
    }

    var description: String { "\(operation): \(cause)" }
}
