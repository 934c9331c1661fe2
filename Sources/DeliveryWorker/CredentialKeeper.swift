import DeliveryQueue
import Logging
import ProviderAPI

/// While the provider refuses the credential everything is held; this tries it again now and then, and opens the gate
/// when it works.
struct CredentialKeeper: Sendable {
    let client: ProviderClient
    let gate: SharedGate
    let logger: Logger

    /// Often enough to resume soon after an operator mends it, seldom enough not to lock the account.
    static let interval = Duration.seconds(300)

    /// - Returns: whether the gate was opened by this turn.
    func runOnce() async -> Bool {
        guard await gate.gate.closed == .credential else { return false }
        do {
            try await client.signIn()
            await gate.with { $0.credentialWorks() }
            logger.notice("credential accepted, work goes on")
            return true
        } catch {
            logger.error(
                "credential still refused, everything is held",
                metadata: ["error": "\(error)", "next.in": "\(Self.interval)"])
            return false
        }
    }
}
