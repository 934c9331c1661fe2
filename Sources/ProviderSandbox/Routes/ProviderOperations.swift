import HTTPTypes
import Hummingbird

/// What comes of a call: the answer, and a webhook to send when the call is recorded.
struct ProviderOutcome: Sendable {
    var answer: Answer
    var job: WebhookJob?
    var executed = false
}

/// Executes the documented operations. Token and faults have been checked before.
struct ProviderOperations {
    let ledger: Ledger

    /// Executes any operation but a retry, whose request is read earlier.
    func perform(_ call: ProviderCall) async -> ProviderOutcome {
        let id = call.endpointID ?? ""
        let answer: Answer
        switch call.operation {
        case .events: answer = await events()
        case .create:
            answer = await answering {
                .json(await ledger.createEndpoint(try EndpointFields(body: call.body)), status: 201)
            }
        case .update:
            answer = await answering {
                await ledger.updateEndpoint(id, try EndpointFields(body: call.body)).map { .json($0) }
                    ?? .unknownEndpoint
            }
        case .secret: answer = secret(await ledger.secret(of: id))
        case .rotate: answer = secret(await ledger.rotateSecret(of: id))
        case .logs: answer = await logs(call, id: id)
        case .login: answer = await answering { try await login(call) }
        case .refresh: answer = await answering { try await refresh(call) }
        case .test: return await test(call, id: id)
        case .retry: answer = .error(400, "The retry request could not be read.")
        }
        return ProviderOutcome(answer: answer, executed: answer.status < 300)
    }

    /// Accepts or refuses a retry. The receiver is called later.
    func retry(_ request: RetryRequest) async -> ProviderOutcome {
        outcome(of: await ledger.acceptRetry(request))
    }

    private func test(_ call: ProviderCall, id: String) async -> ProviderOutcome {
        guard let event = call.request.uri.queryParameters["event"] else {
            return ProviderOutcome(answer: .error(400, "The parameter event is missing."))
        }
        return outcome(of: await ledger.acceptTest(endpointID: id, event: String(event)))
    }

    private func outcome(of acceptance: Acceptance) -> ProviderOutcome {
        switch acceptance {
        case .accepted(let job, let taskJSON):
            let named = taskJSON.map { ",\"task_id\":\($0)" } ?? ""
            return ProviderOutcome(answer: .json("{\"status\":\"accepted\"\(named)}"), job: job, executed: true)
        case .unknownTask: return ProviderOutcome(answer: .error(404, "No such task."))
        case .unknownEndpoint: return ProviderOutcome(answer: .unknownEndpoint)
        case .unknownEvent: return ProviderOutcome(answer: .error(400, "No such event."))
        }
    }

    private func events() async -> Answer {
        let own = await ledger.scenario.events
        let names = Scenario.documentedEvents + own.filter { !Scenario.documentedEvents.contains($0) }
        let entries = names.map { name in
            "{\"event\":\(JSONText.quoted(name)),\"example_payload\":\(BodyMaker.example(of: name))}"
        }
        return .json("[" + entries.joined(separator: ",") + "]")
    }

    private func secret(_ secret: String?) -> Answer {
        secret.map { .json("{\"secret_token\":\(JSONText.quoted($0))}") } ?? .unknownEndpoint
    }

    private func logs(_ call: ProviderCall, id: String) async -> Answer {
        switch await ledger.logPage(of: id, at: call.page ?? PageAddress(number: 1)) {
        case .unknownEndpoint: return .unknownEndpoint
        case .unknownPage: return .error(404, "Invalid page.")
        case .page(let page, let scenario):
            let origin = "http://" + (call.request.head.authority ?? "127.0.0.1")
            let (body, link) = LogPageWriter(scenario: scenario, origin: origin).write(page)
            var answer = Answer(status: 200, body: body)
            if let link, let name = HTTPField.Name("Link") { answer.headers[name] = link }
            return answer
        }
    }

    private func login(_ call: ProviderCall) async throws -> Answer {
        let members = try JSONCut.members(of: call.body)
        let username = members["username"].flatMap { JSONCut.text(of: $0) } ?? ""
        let password = members["password"].flatMap { JSONCut.text(of: $0) } ?? ""
        guard let login = await ledger.logIn(username: username, password: password) else {
            return .error(401, "No active account found with the given credentials")
        }
        return .json(
            """
            {"id":1,"username":\(JSONText.quoted(username)),"groups":["webhooks"],"company_id":1,"permissions":[],\
            "access":\(JSONText.quoted(login.access)),"refresh":\(JSONText.quoted(login.refresh))}
            """
        )
    }

    private func refresh(_ call: ProviderCall) async throws -> Answer {
        let members = try JSONCut.members(of: call.body)
        let token = members["refresh"].flatMap { JSONCut.text(of: $0) } ?? ""
        guard let access = await ledger.refresh(token) else {
            return .error(401, "Token is invalid or expired")
        }
        return .json("{\"access\":\(JSONText.quoted(access))}")
    }

    /// The answer, or 400 for a body that cannot be read.
    private func answering(_ work: () async throws -> Answer) async -> Answer {
        do {
            return try await work()
        } catch {
            return .error(400, "\(error)")
        }
    }
}
