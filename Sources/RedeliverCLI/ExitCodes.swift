import ArgumentParser
import DeliveryQueue
import Foundation
import ProviderAPI
import RedeliverConfiguration

/// The documented exit codes (sysexits.h). Every command ends with an error through `onError`.
enum Exit {
    static let unavailable = ExitCode(69)
    static let unexpected = ExitCode(70)
    static let stopGivenUp = ExitCode(71)
    static let displaced = ExitCode(72)
    static let storage = ExitCode(74)
    static let locked = ExitCode(75)
    static let refused = ExitCode(77)
    static let configuration = ExitCode(78)

    /// Runs a command's work. An error is printed to stderr and becomes an exit code.
    static func onError<Value>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch let error as ExitCode {
            throw error
        } catch let error as ValidationError {
            // The command was running already, so the parser's usage text would only hide the error.
            Note.print(error.message)
            throw ExitCode.validationFailure
        } catch {
            Note.print("\(error)")
            throw code(for: error)
        }
    }

    private static func code(for error: any Error) -> ExitCode {
        switch error {
        case is ConfigurationError: configuration
        case let error as StoreError where error.kind == .locked: locked
        case let error as StoreError where error.kind == .displaced: displaced
        case let error as StoreError where error.kind == .refusedMove: .validationFailure
        case is StoreError, is OutputFault: storage
        case let error as ProviderError: code(for: error)
        default: unexpected
        }
    }

    /// 77 when the provider refused, 69 when it gave no usable answer.
    static func code(for error: ProviderError) -> ExitCode {
        switch error.kind {
        case .unauthorized, .forbidden, .endpointNotFound, .redirected, .rejected, .credential: refused
        case .throttled, .unavailable, .unreachable, .unknownOutcome, .unreadableAnswer, .answerTooLarge, .cancelled:
            unavailable
        }
    }
}
