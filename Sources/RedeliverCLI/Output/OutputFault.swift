import Foundation

/// Why a result could not be written, for instance because the reader is gone.
struct OutputFault: Error, CustomStringConvertible {
    let operation: String
    let cause: String

    init(_ operation: String, _ error: any Error) {
        self.operation = operation
        cause = error.localizedDescription
    }

    var description: String { "\(operation): \(cause)" }
}
