import DeliverySimulation
import ProviderAPI

extension FuzzTarget {
    /// Whole answers (status, headers, body) to every operation. Each gives a value or an error without secrets, and
    /// for a retry the kind that docs/architecture.md ("What each answer leads to") gives its status.
    static let answers = FuzzTarget(
        name: "answers", share: 60, samples: AnswerReading.samples, make: AnswerReading.make,
        check: { bytes in
            let response = AnswerReading.response(bytes)
            try await AnswerReading.checkRetry(response)
            try await AnswerReading.checkOperations(response)
            try await AnswerReading.checkLogin(response)
        })
}

enum AnswerReading {
    static let retry = RetryRequest(
        taskIDJSON: "1", customerIDJSON: "null", webhookIDJSON: "\"e\"", eventType: "x",
        body: Array(#"{"name": "\#(Planted.body)", "list": [12345, "abc", {"deep": "\#(Planted.body)"}]}"#.utf8))

    /// Reads an input: the status in the first line, `Retry-After` in the second, then the body.
    static func response(_ bytes: [UInt8]) -> HTTPResponse {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
        let status = Int(String(decoding: lines[0], as: UTF8.self)) ?? 200
        let header = lines.count > 1 ? String(decoding: lines[1], as: UTF8.self) : ""
        return HTTPResponse(
            status: min(max(status, 100), 999), headers: header.isEmpty ? [] : [HTTPHeader("Retry-After", header)],
            body: lines.count > 2 ? Array(lines[2]) : [])
    }

    static func checkRetry(_ response: HTTPResponse) async throws {
        let answer = await Planted.client(response).retry(retry)
        let kinds = expected(response)
        try Violation.unless(kinds.contains(answer.kind), "HTTP \(response.status) to a retry is \(answer.kind)")
        if let wait = answer.retryAfter { try Violation.unless(.zero...Duration.seconds(3_600) ~= wait, "\(wait)") }
        try Violation.unless((answer.detail?.count ?? 0) <= 300, "a detail is too long")
        try Planted.check(answer.detail ?? "", hides: [Planted.token, Planted.body])
        let namesTask = ReferenceJSON(response.body).flatMap { $0.member("task_id", of: $0.root) } != nil
        try Violation.unless(
            answer.namedTaskID == nil || (answer.kind == .accepted && namesTask), "a task from nowhere")
    }

    /// What an answer may be taken for. A text can turn a 2xx and a 400; an empty one and a web page leave no choice.
    private static func expected(_ response: HTTPResponse) -> [RetryAnswer.Kind] {
        let kind = RetryAnswer.Kind.expected(response.status)
        let first = response.body.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        switch (kind, first) {
        case (.accepted, nil): return [.accepted]
        case (.accepted, UInt8(ascii: "<")): return [.uncertain]
        case (.accepted, _): return [.accepted, .uncertain]
        case (.rejected, _) where response.status == 400: return [.rejected, .bodyForm]
        default: return [kind]
        }
    }

    static func checkOperations(_ response: HTTPResponse) async throws {
        let client = Planted.client(response)
        try await expect(response) { () async throws(ProviderError) in _ = try await client.logs(of: "e") }
        try await expect(response) { () async throws(ProviderError) in
            for event in try await client.events() where event.name.isEmpty { throw unnamed }
        }
        let headers = [(name: "X-Key", value: Planted.password)]
        guard let fields = try? EndpointFields(url: "https://a.test/", events: ["x"], headers: headers) else {
            throw Violation("the sample fields are refused")
        }
        let secrets = [Planted.token, Planted.password]
        try await expect(response, hides: secrets) { () async throws(ProviderError) in
            if try await client.createEndpoint(fields).id?.isEmpty ?? true { throw unnamed }
        }
        try await expect(response, hides: secrets) { () async throws(ProviderError) in
            _ = try await client.updateEndpoint("e", fields)
        }
        try await checkSecrets(response)
        try await expect(response) { () async throws(ProviderError) in _ = try await client.test("e", event: "x") }
    }

    private static func checkSecrets(_ response: HTTPResponse) async throws {
        let client = Planted.client(response)
        for rotates in [false, true] {
            var secret: String?
            try await expect(response) { () async throws(ProviderError) in
                secret = try await (rotates ? client.rotateSecret(of: "e") : client.secret(of: "e")).revealed
            }
            if let secret {
                let isPlain = secret.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
                try Violation.unless(isPlain && (1...4_096).contains(secret.utf8.count), "a secret that cannot be one")
            }
        }
    }

    /// Checks the answer to a login and, when it gives a token, a call with that token.
    static func checkLogin(_ response: HTTPResponse) async throws {
        let login = Credential.login(username: "u", password: .value(Secret(Planted.password)))
        let client = Planted.client(HTTPResponse(status: 401), login: response, credential: login)
        var isIn = false
        try await expect(nil, hides: [Planted.password]) { () async throws(ProviderError) in
            try await client.signIn()
            isIn = true
        }
        let named = ReferenceJSON(response.body).flatMap { tree in
            tree.member("access", of: tree.root).map { ($0, tree) }
        }
        let token = named.flatMap { $0.1.string($0.0) }
        let isUsable = token.map { !$0.isEmpty && $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } } ?? false
        let isDeep = (named?.1.depth ?? 0) > 500
        try Violation.unless(
            isIn == ((200...299).contains(response.status) && isUsable) || isDeep, "HTTP \(response.status): in \(isIn)"
        )
        try await expect(nil, hides: [Planted.password]) { () async throws(ProviderError) in
            _ = try await client.logs(of: "e")
        }
    }

    private static let unnamed = ProviderError(operation: "fuzz", reason: .rejected(status: 0))

    /// Checks how an operation ends.
    ///
    /// - Parameter response: the answer that the operation got. Only a 2xx may end in a value; nil allows both.
    private static func expect(
        _ response: HTTPResponse?, hides secrets: [String] = [Planted.token],
        _ work: () async throws(ProviderError) -> Void
    ) async throws {
        do throws(ProviderError) {
            try await work()
            try Self.allow((200...299).contains(response?.status ?? 200))
        } catch {
            if error == unnamed { throw Violation("a value without what makes it one") }
            try Planted.check(error.description, hides: secrets)
        }
    }

    private static func allow(_ isAllowed: Bool) throws(ProviderError) {
        if !isAllowed { throw unnamed }
    }

    static func make(_ random: inout SeededGenerator) -> [UInt8] {
        let status = Hostile.pick(
            [200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 503], &random)
        let wait = Hostile.chance(1, in: 3, &random) ? Hostile.pick(Hostile.numbers, &random) : ""
        return Array("\(status)\n\(wait)\n".utf8) + body(&random)
    }

    private static func body(_ random: inout SeededGenerator) -> [UInt8] {
        guard Hostile.chance(3, in: 4, &random) else { return HostileJSON.value(&random) }
        let names = [
            "task_id", "access", "refresh", "secret_token", "secret", "id", "url", "enabled_events", "data", "results",
            "event",
            "next", "detail",
        ]
        let count = Int.random(in: 0...4, using: &random)
        return HostileJSON.object(
            (0..<count).map { _ in (Hostile.pick(names, &random), HostileJSON.value(&random)) }, &random)
    }

    static let samples: [[UInt8]] = [
        "200\n\n{\"access\": \"abc\", \"refresh\": \"def\"}", "200\n\n{\"task_id\": 12}", "200\n\n\"s3cret\"",
        "200\n\n{\"data\": {\"secret_token\": \"x\", \"id\": 7, \"url\": \"u\", \"enabled_events\": [\"a\"]}}",
        "200\n\n{\"results\": [{\"event\": \"a\", \"payload\": {}}, \"b\"], \"next\": \"?page=2\"}", "204\n\n",
        "400\n\nyou sent \(Planted.body) with \(Planted.token) and \(Planted.password)", "429\n30\n", "503\n1\n<html>",
        "422\n\n{\"body\": \"b0dy\\u002d5ecret-2\"}", "401\n\nBearer \(Planted.token)", "500\n\n\u{1B}[2J", "302\n\n",
    ].map { Array($0.utf8) }
}

extension RetryAnswer.Kind {
    /// docs/architecture.md, "What each answer leads to", written a second time as the judge of the product's table.
    fileprivate static func expected(_ status: Int) -> Self {
        switch status {
        case 200..<300: .accepted
        case 300..<400: .redirected
        case 401: .unauthorized
        case 403, 495, 496: .forbidden
        case 404, 410: .notFound
        case 429: .throttled
        case 425, 503: .unavailable
        case 408, 409, 423, ..<200: .uncertain
        case 402, 405, 406, 407, 411, 415, 417, 421, 426, 428, 431, 451, 501, 505, 511: .clientRefused
        case 500...: .serverError
        default: .rejected
        }
    }
}
