import DeliveryQueue
import Logging
import ProviderAPI

/// While the provider refuses the credential everything is held; this tries it again now and then, and opens the gate
/// when it works.
struct CredentialKeeper: Sendable {
    let client: ProviderClient
    /// The endpoint whose log is read to try the credential: a fixed token has no login that could be tried, and reading
    /// a log can duplicate nothing.
    let endpointID: String
    let gate: SharedGate
    let logger: Logger

    /// Often enough to resume soon after an operator mends it, seldom enough not to lock the account.
    static let interval = Duration.seconds(300)

    /// - Returns: whether the gate was opened by this turn.
    func runOnce(at now: Timestamp) async -> Bool {
        guard await gate.gate.closed == .credential else { return false }
        do {
            try await client.signIn()
            let trouble = try await readLog()
            await gate.with { gate in
                gate.credentialWorks(at: now)
                if let trouble { gate.learn(from: trouble, at: now) }
            }
            logger.notice("credential accepted, work goes on")
            return true
        } catch {
            logger.error(
                "credential still refused, everything is held",
                metadata: ["error": "\(error)", "next.in": "\(Self.interval)"])
            return false
        }
    }

    /// - Returns: another trouble than the credential's, which is an answer to a token that is known.
    /// - Throws: only what says that the credential is still refused, or nothing of it.
    private func readLog() async throws(ProviderError) -> ProviderError? {
        do {
            _ = try await client.logs(of: endpointID)
            return nil
        } catch {
            switch error.kind {
            case .unauthorized, .forbidden, .credential, .unreachable, .unknownOutcome, .cancelled: throw error
            case .endpointNotFound, .throttled, .unavailable, .unreadableAnswer, .answerTooLarge,
                .foreignNextPage, .redirected, .rejected:
                return error
            }
        }
    }
}
