import DeliveryQueue
import Logging
import ProviderAPI

/// Tries a refused credential again from time to time and opens the gate when it works. Until then nothing is called.
///
/// A log is read to try it, because a fixed token has no login to try. The logs take turns: one of them may be
/// forbidden or missing for a reason of its own.
actor CredentialKeeper {
    private let client: ProviderClient
    private let endpointIDs: [String]
    private let gate: SharedGate
    private let budget: RequestBudget
    private let logger: Logger
    /// The place of the endpoint whose log is read next.
    private var place = 0

    /// Often enough to resume soon after an operator's correction, and seldom enough not to lock the account.
    static let interval = Duration.seconds(300)
    /// So many logs are read in a turn at most; the others follow in the next one.
    static let logsPerTurn = 5

    /// - Parameter endpointIDs: at least one.
    init(client: ProviderClient, endpointIDs: [String], gate: SharedGate, budget: RequestBudget, logger: Logger) {
        precondition(!endpointIDs.isEmpty, "a configuration names at least one endpoint")
        self.client = client
        self.endpointIDs = endpointIDs
        self.gate = gate
        self.budget = budget
        self.logger = logger
    }

    /// - Returns: whether the gate was opened by this turn.
    func runOnce(at now: Timestamp) async -> Bool {
        guard await gate.gate.closed == .credential else { return false }
        do {
            try await client.signIn()
            guard let look = try await look() else { return false }
            await gate.with { gate in
                gate.credentialWorks(at: now)
                switch look.result {
                case .success(let page): gate.logRead(of: look.endpointID, with: page.grant, at: now)
                case .failure(let trouble): gate.take(trouble, of: look.endpointID, at: now)
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

    /// What a log told of the credential.
    private typealias Look = (endpointID: String, result: Result<LogPage, ProviderError>)

    /// Reads one log after the other until one tells whether the credential works.
    ///
    /// - Returns: a page, or trouble of another kind, which the provider answered to a token that it knows; nil while
    ///   it wants no log to be read.
    /// - Throws: an error that says that the credential is refused, or that does not say whether it is.
    private func look() async throws(ProviderError) -> Look? {
        var (other, forbidden): (Look?, ProviderError?) = (nil, nil)
        for _ in 0..<min(Self.logsPerTurn, endpointIDs.count) {
            let endpointID = endpointIDs[place]
            // While the provider wants no log to be read, nothing tells whether the token works.
            guard (try? await budget.turn(for: .look, of: endpointID)) == true else { return nil }
            do throws(ProviderError) {
                return (endpointID, .success(try await client.logs(of: endpointID)))
            } catch {
                switch error.kind {
                case .unauthorized, .credential, .unreachable, .unknownOutcome, .cancelled: throw error
                case .throttled, .unavailable: return (endpointID, .failure(error))
                case .forbidden: forbidden = error
                case .endpointNotFound, .unreadableAnswer, .answerTooLarge, .redirected, .rejected:
                    other = other ?? (endpointID, .failure(error))
                }
            }
            // One that can be read stays the first to be tried.
            place = (place + 1) % endpointIDs.count
        }
        if other == nil, let forbidden { throw forbidden }
        return other
    }
}
