import DeliveryQueue
import Logging
import ProviderAPI

/// Tries a refused credential again from time to time and opens the gate when it works. Until then nothing is called.
struct CredentialKeeper: Sendable {
    let client: ProviderClient
    /// The endpoint whose log is read to try the credential, because a fixed token has no login to try.
    let endpointID: String
    let gate: SharedGate
    let budget: RequestBudget
    let logger: Logger

    /// Often enough to resume soon after an operator's correction, and seldom enough not to lock the account.
    static let interval = Duration.seconds(300)

    /// - Returns: whether the gate was opened by this turn.
    func runOnce(at now: Timestamp) async -> Bool {
        guard await gate.gate.closed == .credential else { return false }
        do {
            try await client.signIn()
            // While the provider wants no log to be read, nothing tells whether the token works.
            guard (try? await budget.turn(for: .look, of: endpointID)) == true else { return false }
            let result = try await readLog()
            await gate.with { gate in
                gate.credentialWorks(at: now)
                switch result {
                case .success(let page): gate.logRead(of: endpointID, with: page.grant, at: now)
                case .failure(let trouble): gate.take(trouble, of: endpointID, at: now)
                }
            }
            logger.notice("credential accepted; calls go on")
            return true
        } catch {
            logger.error(
                "credential still refused; all deliveries are held",
                metadata: ["error": "\(error)", "next.in": "\(Self.interval)"])
            return false
        }
    }

    /// - Returns: the page, or trouble of another kind. The provider answered it to a token that it knows.
    /// - Throws: errors that say that the credential is refused, or that do not say whether it is.
    private func readLog() async throws(ProviderError) -> Result<LogPage, ProviderError> {
        do {
            return .success(try await client.logs(of: endpointID))
        } catch {
            switch error.kind {
            case .unauthorized, .forbidden, .credential, .unreachable, .unknownOutcome, .cancelled: throw error
            case .endpointNotFound, .throttled, .unavailable, .unreadableAnswer, .answerTooLarge, .redirected,
                .rejected:
                return .failure(error)
            }
        }
    }
}
