import DeliveryQueue

/// What the provider's answers have shown of what our credential may do, which tells whom a 403 is about: while a log
/// is read with the same grant it is about one delivery or one log. Pure: it is told the time.
///
/// A grant is what a login, a token in a file or a fixed token gives us; see `ProviderSession`. Its number rises.
struct GrantRecord: Sendable, Equatable {
    /// How many logs there are.
    private let endpoints: Int
    private var grant: Int?
    /// Endpoints whose log was last read with this grant and not forbidden since.
    private var readable: Set<String> = []
    /// Endpoints whose log was forbidden when it was last asked for.
    private var forbidden: Set<String> = []
    /// When a call was last taken on with this grant.
    private var tookOn: Timestamp?

    /// - Parameter endpoints: how many are configured.
    init(endpoints: Int) {
        self.endpoints = endpoints
    }

    /// A page of a log was read.
    mutating func logRead(of endpointID: String, with grant: Int?) {
        forbidden.remove(endpointID)
        if isPresent(grant) { readable.insert(endpointID) }
    }

    /// A request for a log was answered with 403.
    ///
    /// - Returns: whether no log may be read any more, so that it is about the credential.
    mutating func logForbidden(of endpointID: String) -> Bool {
        readable.remove(endpointID)
        forbidden.insert(endpointID)
        return forbidden.count >= endpoints
    }

    /// A call was taken on.
    mutating func callTakenOn(with grant: Int?, at now: Timestamp) {
        if isPresent(grant) { tookOn = now }
    }

    /// Whether logs are read with this grant: a 403 to a call with it is about that call's delivery.
    func readsLogs(with grant: Int?) -> Bool {
        grant != nil && grant == self.grant && !readable.isEmpty
    }

    /// When a call was last taken on with this grant; nil: none was.
    func lastTakenOn(with grant: Int?) -> Timestamp? {
        grant == self.grant ? tookOn : nil
    }

    /// The credential was refused: what was known of it counts no more.
    mutating func forget() {
        self = GrantRecord(endpoints: endpoints)
    }

    /// Takes in a grant with which a call succeeded; false for one that another has replaced, or for none.
    private mutating func isPresent(_ grant: Int?) -> Bool {
        guard let grant, grant >= self.grant ?? grant else { return false }
        if grant != self.grant {
            (readable, tookOn) = ([], nil)
            self.grant = grant
        }
        return true
    }
}
