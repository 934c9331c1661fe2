import RedeliverConfiguration
import Testing

/// Wherever a secret is written by mistake, no fault repeats it.
@Suite struct ConfigurationSecrecyTests {
    private static let secret = "SWORDFISH-77"

    @Test(arguments: [
        "{token: [$]}", "{token: {$: x}}", "{token: '$ $'}", "{token: \"$\\n\"}", "{token: !$ }", "{token: !$ x}",
        "{token: $, username: $, password: $}", "{token: $, token: $}", "{token:$}", "{token: $, $: x}", "$", "[$]",
        "{$}", "{username: b, password: [$]}", "{username: b, password: \"$\\u0001\"}", "{token_env: $}",
        "{token_env: [$]}", "{token_env: '$ '}", "{token_file: $}", "{token_file: /$/x}",
        "{username: b, password_env: $}", "{username: b, password_file: $}", "{token: *$}", "{token: &$ }",
        "{token: &$ *$}", "{token: $", "{token: '$", "{token: $: x: y}", "{token: @$}", "{password: $}",
        "{tokn: $}", "{token: %$}", "{? [$] : x}", "{token: $$$$$$, token_env: $}",
    ])
    func `a secret in the wrong place is not repeated`(auth: String) {
        let sample = ConfigurationSample(auth: auth.replacing("$", with: Self.secret))
        let error = ConfigurationError(path: "c.yaml", faults: sample.faults())
        #expect(!error.faults.isEmpty)
        #expect(!error.description.contains("SWORDFISH"), "\(error)")
        #expect(!String(reflecting: error).contains("SWORDFISH"))
    }

    @Test(arguments: [
        "https://bob:$@eu.amani.ai", "https://$@eu.amani.ai", "https://eu.amani.ai?token=$", "http://$.example.com",
        "$", "https://eu.amani.ai/$ $", "[$]",
    ])
    func `an address is not repeated either`(url: String) {
        let sample = ConfigurationSample(baseURL: url.replacing("$", with: Self.secret))
        #expect(!sample.faults().isEmpty)
        #expect(!sample.problems().joined().contains("SWORDFISH"))
    }

    @Test(arguments: ["TOKEN", "PASSWORD", "TOKEN_ENV", "TOKEN_FILE", "PASSWORD_FILE", "PASSWORD_ENV"])
    func `a secret in the wrong variable is not repeated`(name: String) {
        let environment = ["REDELIVER_PROVIDER_AUTH_\(name)": "SWORDFISH 77\u{01}"]
        let problems = ConfigurationSample(auth: "{username: [x]}").problems(environment)
        #expect(!problems.isEmpty)
        #expect(!problems.joined().contains("SWORDFISH"))
    }

    @Test func `a loaded configuration hides its secrets when it is printed`() throws {
        let login = ConfigurationSample(auth: "{username: b, password: \(Self.secret)}")
        for sample in [ConfigurationSample(auth: "{token: \(Self.secret)}"), login] {
            let configuration = try sample.read()
            var dumped = ""
            dump(configuration, to: &dumped)
            #expect(!dumped.contains("SWORDFISH"))
            #expect(!"\(configuration)\(String(reflecting: configuration))".contains("SWORDFISH"))
        }
    }
}
