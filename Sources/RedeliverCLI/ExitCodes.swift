import ArgumentParser
import DeliveryQueue
import DeliveryWorker
import Foundation

/// The documented exit codes (sysexits.h) and the one way in which a command ends with an error.
enum Exit {
    static let unavailable = ExitCode(69)
    static let unexpected = ExitCode(70)
    static let storage = ExitCode(74)
    static let locked = ExitCode(75)
    static let configuration = ExitCode(78)

    /// Runs a command's work; an error is printed to stderr as it describes itself and becomes an exit code.
    static func onError<Value>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch let error as ExitCode {
            throw error
        } catch let error as ValidationError {
            throw error
        } catch {
            print(error)
            throw code(for: error)
        }
    }

    static func print(_ error: any Error) {
        FileHandle.standardError.write(Data("redeliver: \(error)\n".utf8))
    }

    private static func code(for error: any Error) -> ExitCode {
        switch error {
        case is ConfigurationError: configuration
        case let error as StoreError where error.kind == .locked: locked
        case let error as StoreError where error.kind == .refusedMove: .validationFailure
        case is StoreError: storage
        default: unexpected
        }
    }
}
