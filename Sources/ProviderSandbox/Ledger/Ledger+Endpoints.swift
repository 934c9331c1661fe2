/// What a login gave.
struct Login: Sendable {
    let access: String
    let refresh: String
}

extension Ledger {
    /// Gives the first endpoints their URLs, once the receiver has its port.
    func receiverListens(at origin: String) {
        for index in endpoints.indices {
            endpoints[index].url = "\(origin)/receivers/\(endpoints[index].id)"
        }
    }

    /// Registers an endpoint. Whatever URL it has, its webhooks go to the sandbox's own receiver.
    func createEndpoint(_ fields: EndpointFields) -> String {
        var endpoint = OpeningData.makeEndpoint(scenario: scenario, now: WallTime.now(), using: &identities)
        endpoint.apply(fields)
        endpointIndexes[endpoint.id] = endpoints.count
        endpoints.append(endpoint)
        return endpoint.json
    }

    /// Changes the given fields; nil when there is no such endpoint.
    func updateEndpoint(_ id: String, _ fields: EndpointFields) -> String? {
        guard let index = endpointIndexes[id] else { return nil }
        endpoints[index].apply(fields)
        endpoints[index].updatedAt = WallTime.now()
        return endpoints[index].json
    }

    /// The endpoint's secret token; nil when there is no such endpoint.
    func secret(of id: String) -> String? {
        endpointIndexes[id].map { endpoints[$0].secret }
    }

    /// Gives the endpoint a new secret token, which signs from now on.
    func rotateSecret(of id: String) -> String? {
        guard let index = endpointIndexes[id] else { return nil }
        endpoints[index].secret = identities.hex(bytes: 24)
        return endpoints[index].secret
    }

    /// One page of an endpoint's log, all of it when paging is off.
    func logPage(of id: String, number: Int) -> LogPageAnswer {
        guard let index = endpointIndexes[id] else { return .unknownEndpoint }
        let log = endpoints[index].log
        let size = scenario.paging == .none ? max(1, log.count) : scenario.pageSize
        guard let rows = log.page(number, size: size) else { return .unknownPage }
        let page = LogPage(
            endpointID: id,
            number: number,
            total: log.count,
            hasNext: number * size < log.count,
            entries: rows.map { LogPage.Entry(row: $0, delivery: deliveries[$0.deliveryIndex]) }
        )
        return .page(page, scenario)
    }

    /// Tokens for the right user name and password, else nil. Without a configured user nobody can log in.
    func logIn(username: String, password: String) -> Login? {
        guard let expected = scenario.username, expected == username, scenario.password == password else { return nil }
        let now = WallTime.now()
        return Login(
            access: tokens.issueAccess(at: now, lifetime: scenario.tokenLifetime.milliseconds),
            refresh: tokens.issueRefresh(at: now)
        )
    }

    /// A new access token for a refresh token that is still good, else nil.
    func refresh(_ token: String) -> String? {
        guard tokens.acceptsRefresh(token) else { return nil }
        return tokens.issueAccess(at: WallTime.now(), lifetime: scenario.tokenLifetime.milliseconds)
    }
}

/// What operation 6 finds.
enum LogPageAnswer: Sendable {
    case page(LogPage, Scenario)
    case unknownEndpoint
    case unknownPage
}

extension Endpoint {
    /// Takes over the fields that are there.
    mutating func apply(_ fields: EndpointFields) {
        url = fields.url ?? url
        enabledEvents = fields.enabledEvents ?? enabledEvents
        customHeadersJSON = fields.customHeadersJSON ?? customHeadersJSON
        metadataJSON = fields.metadataJSON ?? metadataJSON
    }
}
