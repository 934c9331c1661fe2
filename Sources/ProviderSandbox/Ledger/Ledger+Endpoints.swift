/// The tokens of a login.
struct Login: Sendable {
    let access: String
    let refresh: String
}

extension Ledger {
    /// Sets the URLs of the first endpoints when the receiver has its port.
    func receiverListens(at origin: String) {
        for index in endpoints.indices {
            endpoints[index].url = "\(origin)/receivers/\(endpoints[index].id)"
        }
    }

    /// Registers an endpoint. Its webhooks go to the sandbox's own receiver, whatever its URL.
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

    /// Gives the endpoint a new secret token, which signs from now on; nil when there is no such endpoint.
    func rotateSecret(of id: String) -> String? {
        guard let index = endpointIndexes[id] else { return nil }
        endpoints[index].secret = identities.hex(bytes: 24)
        return endpoints[index].secret
    }

    /// One page of an endpoint's log, or the whole log when paging is off.
    func logPage(of id: String, at address: PageAddress) -> LogPageAnswer {
        guard let index = endpointIndexes[id] else { return .unknownEndpoint }
        let size = scenario.paging == .none ? max(1, endpoints[index].log.count) : scenario.pageSize
        if address.number > 1, address.empty == 0, scenario.deleteWhilePaging > 0 {
            endpoints[index].log.delete(scenario.deleteWhilePaging, before: address.number, size: size) {
                [deliveries] in $0.succeeded && !deliveries[$0.deliveryIndex].failedInitially
            }
        }
        let log = endpoints[index].log
        guard let rows = log.page(address.number, size: size) else { return .unknownPage }
        let pages = (log.count + size - 1) / size
        let page = LogPage(
            endpointID: id, total: log.count, next: scenario.link(after: address, of: pages),
            entries: (address.empty > 0 ? [] : rows).map {
                LogPage.Entry(row: $0, delivery: deliveries[$0.deliveryIndex])
            })
        return .page(page, scenario)
    }

    /// Tokens for the right user name and password, else nil. Nobody can log in when the scenario has no user.
    func logIn(username: String, password: String) -> Login? {
        guard let expected = scenario.username, expected == username, scenario.password == password else { return nil }
        let now = WallTime.now()
        return Login(
            access: tokens.issueAccess(at: now, lifetime: scenario.tokenLifetime.milliseconds),
            refresh: tokens.issueRefresh(at: now))
    }

    /// A new access token for a valid refresh token, else nil.
    func refresh(_ token: String) -> String? {
        guard tokens.acceptsRefresh(token) else { return nil }
        return tokens.issueAccess(at: WallTime.now(), lifetime: scenario.tokenLifetime.milliseconds)
    }
}

/// The provider's answer to a request for a log page.
enum LogPageAnswer: Sendable {
    case page(LogPage, Scenario)
    case unknownEndpoint
    case unknownPage
}

extension Endpoint {
    /// Changes the fields that the call gives.
    mutating func apply(_ fields: EndpointFields) {
        url = fields.url ?? url
        enabledEvents = fields.enabledEvents ?? enabledEvents
        customHeadersJSON = fields.customHeadersJSON ?? customHeadersJSON
        metadataJSON = fields.metadataJSON ?? metadataJSON
    }
}
