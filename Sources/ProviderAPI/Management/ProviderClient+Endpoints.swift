/// The calls with which operators set up and test webhook endpoints (docs/provider-api.md, "Documented: webhook
/// endpoints"). ``EndpointAnswer`` holds the assumptions about their answers.
extension ProviderClient {
    /// Lists the event types with their example payloads. Follows further pages as in a log.
    package func events() async throws(ProviderError) -> [EventExample] {
        let operation = ProviderOperation("listing the events")
        var url = base.url("/api/v2/events")
        var visited: Set<String> = []
        var events: [EventExample] = []
        while visited.insert(url).inserted, visited.count <= EndpointAnswer.eventPages {
            let request = read(url, limit: EndpointAnswer.eventsLimit)
            let answer = try await answer(to: request, operation)
            guard let found = answer.events else {
                throw operation.unreadable(
                    "the answer holds no list of events, neither at its top nor under: \(EndpointAnswer.eventListNames)"
                )
            }
            guard !found.contains(nil) else {
                throw operation.unreadable(
                    "an entry of the list names no event under any of: \(EndpointAnswer.eventNameNames)")
            }
            events += found.compactMap { $0 }
            guard let next = answer.next else { return events }
            url = try nextPage(next, from: url, operation).link.url
        }
        throw operation.unreadable("the list has no end, or leads back to a page already read")
    }

    /// Registers an endpoint. Do not repeat it after a lost answer: the provider may have created the endpoint.
    ///
    /// - Returns: the endpoint as the answer describes it, always with an id.
    package func createEndpoint(_ fields: EndpointFields) async throws(ProviderError) -> WebhookEndpoint {
        let operation = ProviderOperation(
            "creating an endpoint",
            adviceIfUnknown: "look at the provider's list of endpoints before you create it again, or there are two",
            hiding: fields.hidden)
        let request = write(.post, base.url(Self.path), fields.payload)
        let endpoint = try await answer(to: request, operation).endpoint
        guard endpoint.id != nil else {
            throw operation.unreadable("the answer holds no id under any of: \(EndpointAnswer.idFieldNames)")
        }
        return endpoint
    }

    /// Changes the given fields of an endpoint. The same call may be repeated; it changes nothing more.
    ///
    /// - Returns: the endpoint as the answer describes it; all fields are nil after an empty answer.
    package func updateEndpoint(
        _ id: String, _ fields: EndpointFields
    ) async throws(ProviderError) -> WebhookEndpoint {
        let operation = ProviderOperation("updating endpoint '\(id)'", hiding: fields.hidden)
        let request = write(.put, url(of: id), fields.payload)
        let response = try await call(request, operation)
        return response.body.isEmpty ? WebhookEndpoint() : try reading(response, operation).endpoint
    }

    /// Reads the secret that signs an endpoint's messages.
    package func secret(of id: String) async throws(ProviderError) -> Secret {
        let operation = ProviderOperation("reading the secret of endpoint '\(id)'")
        let request = read(url(of: id) + "/secret", limit: EndpointAnswer.limit)
        return try secret(in: try await answer(to: request, operation), operation)
    }

    /// Makes the provider generate a new secret. After a lost answer, ``secret(of:)`` tells which secret counts.
    package func rotateSecret(of id: String) async throws(ProviderError) -> Secret {
        let operation = ProviderOperation(
            "rotating the secret of endpoint '\(id)'",
            adviceIfUnknown: "the secret may have changed; read it again before you rely on the old one")
        let request = write(.patch, url(of: id) + "/secret", nil)
        return try secret(in: try await answer(to: request, operation), operation)
    }

    /// Makes the provider send an event with dummy data to an endpoint.
    ///
    /// - Returns: the task id under which the log shows the event; nil when the answer names none.
    package func test(_ id: String, event: String) async throws(ProviderError) -> String? {
        let operation = ProviderOperation(
            "testing event '\(event)' at endpoint '\(id)'",
            adviceIfUnknown: "the endpoint's log shows whether the event was sent", hiding: [])
        let query = "/test?event=" + PercentEncoding.segment(event)
        let response = try await call(write(.post, url(of: id) + query, nil), operation)
        return response.body.isEmpty ? nil : try reading(response, operation).taskID
    }

    private static let path = "/api/v2/webhook_endpoint"

    private func url(of id: String) -> String { base.url("\(Self.path)/\(PercentEncoding.segment(id))") }

    private func read(_ url: String, limit: Int) -> HTTPRequest {
        HTTPRequest(
            method: .get, url: url, headers: RequestHeaders.read, timeout: requestTimeout, responseLimit: limit)
    }

    private func write(_ method: HTTPRequest.Method, _ url: String, _ body: [UInt8]?) -> HTTPRequest {
        HTTPRequest(
            method: method, url: url, headers: body == nil ? RequestHeaders.read : RequestHeaders.json, body: body,
            timeout: requestTimeout, responseLimit: EndpointAnswer.limit)
    }

    private func answer(
        to request: HTTPRequest, _ operation: ProviderOperation
    ) async throws(ProviderError) -> EndpointAnswer {
        try reading(try await call(request, operation), operation)
    }

    private func reading(
        _ response: HTTPResponse, _ operation: ProviderOperation
    ) throws(ProviderError) -> EndpointAnswer {
        do throws(JSONSyntaxError) {
            return try EndpointAnswer(response.body)
        } catch {
            throw operation.unreadable(error.cause(in: response.body))
        }
    }

    private func secret(
        in answer: EndpointAnswer, _ operation: ProviderOperation
    ) throws(ProviderError) -> Secret {
        guard let secret = answer.secret else {
            throw operation.unreadable(
                "the answer holds no usable secret, neither as a text nor under: \(EndpointAnswer.secretFieldNames)")
        }
        return secret
    }
}
