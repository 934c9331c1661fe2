import Foundation
import ProviderAPI
import RedeliverConfiguration
import TestSupport
import Testing

@Suite struct ConfigurationAuthTests {
    private static let forms =
        "expected exactly one of token, token_file, token_env, or username with exactly one of password, "
        + "password_file, password_env"

    @Test func `each form becomes its credential`() throws {
        let file = try TemporaryFile("secret\n")
        let environment = ["KYC_TOKEN": "tok", "KYC_PASSWORD": "pass word"]
        let forms: [(String, Credential)] = [
            ("{token: abc.def-ghi}", .token(Secret("abc.def-ghi"))),
            ("{token: 12345}", .token(Secret("12345"))),
            ("{token_env: KYC_TOKEN}", .token(Secret("tok"))),
            ("{token_file: \(file.path)}", .tokenFile(path: file.path)),
            ("{username: bob, password: 'p w'}", .login(username: "bob", password: .value(Secret("p w")))),
            (
                "{username: bob, password_env: KYC_PASSWORD}",
                .login(username: "bob", password: .value(Secret("pass word")))
            ),
            ("{username: bob, password_file: \(file.path)}", .login(username: "bob", password: .file(path: file.path))),
        ]
        for (auth, credential) in forms {
            #expect(try ConfigurationSample(auth: auth).read(environment).provider.credential == credential)
        }
    }

    @Test(arguments: [
        ("{}", "is required: exactly one of"), ("", "is required: exactly one of"),
        ("{token: a, token_env: B}", "found token and token_env, expected"),
        ("{token: a, username: b, password: c}", "found token and username and password, expected"),
        ("{token: a, password: c}", "found token and password, expected"),
        ("{username: b}", "found username, expected"), ("{password: c}", "found password, expected"),
        ("{username: b, password: c, password_file: /d}", "found username and password and password_file, expected"),
    ])
    func `no form, two forms and half a form are faults`(auth: String, beginning: String) {
        let problems = ConfigurationSample(auth: auth).problems()
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("provider.auth: \(beginning)") == true)
        #expect(problems.first?.hasSuffix(Self.forms.dropFirst("expected ".count)) == true)
    }

    @Test func `auth may not be missing`() {
        let yaml = "provider: {base_url: 'https://h'}\nendpoints: [{id: 1}]\ndatabase: a"
        #expect(ConfigurationSample.faults(yaml).map(\.key) == ["provider.auth"])
        #expect(
            ConfigurationSample.faults("endpoints: [{id: 1}]\ndatabase: a").map(\.key) == [
                "provider.auth", "provider.base_url",
            ])
    }

    @Test func `a form whose value cannot be read is one fault`() {
        #expect(
            ConfigurationSample(auth: "{token: [a]}").problems() == [
                "provider.auth.token: expected a token without spaces, found a list"
            ])
        #expect(
            ConfigurationSample(auth: "{token: }").problems() == [
                "provider.auth.token: has no value, expected a token without spaces"
            ])
        #expect(
            ConfigurationSample(auth: "some-token").problems() == [
                "provider.auth: expected a mapping of keys to values, found a single value"
            ])
    }

    @Test(arguments: [[:], ["KYC": ""]]) func `a named variable must be set`(environment: [String: String]) {
        let problem = "the environment variable of this name is not set or empty"
        #expect(
            ConfigurationSample(auth: "{token_env: KYC}").problems(environment) == [
                "provider.auth.token_env: \(problem)"
            ])
        let login = ConfigurationSample(auth: "{username: b, password_env: KYC}")
        #expect(login.problems(environment) == ["provider.auth.password_env: \(problem)"])
    }

    @Test func `a token with spaces or line breaks cannot be sent`() {
        #expect(
            ConfigurationSample(auth: "{token_env: KYC}").problems(["KYC": "abc\n"]) == [
                "provider.auth.token_env: the environment variable of this name: expected a token without spaces, "
                    + "found other characters"
            ])
    }

    @Test func `a secret's file must exist and be a file`() throws {
        let folder = try TemporaryFolder()
        let missing = ConfigurationSample(auth: "{token_file: \(folder.path)/none}")
        #expect(missing.problems() == ["provider.auth.token_file: the file does not exist"])
        let directory = ConfigurationSample(auth: "{username: b, password_file: \(folder.path)}")
        #expect(directory.problems() == ["provider.auth.password_file: is a directory, expected a file"])
        let relative = ConfigurationSample(auth: "{token_file: none}")
        #expect(
            relative.problems() == [
                "provider.auth.token_file: the file does not exist (looked for from /etc/redeliver)"
            ])
    }

    @Test func `a relative secret's file lies in the configuration's folder`() throws {
        let folder = try TemporaryFolder()
        try folder.write("token", "abc")
        let path = try folder.write("redeliver.yaml", ConfigurationSample(auth: "{token_file: token}").yaml)
        let configuration = try WorkerConfiguration.load(path: path, environment: [:])
        #expect(configuration.provider.credential == .tokenFile(path: "\(folder.path)/token"))
    }

    @Test(.enabled(if: geteuid() != 0, "root reads every file"))
    func `a secret's file must be readable`() throws {
        let file = try TemporaryFile("secret")
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: file.path)
        #expect(
            ConfigurationSample(auth: "{token_file: \(file.path)}").problems() == [
                "provider.auth.token_file: the file must be readable for the user that runs redeliver"
            ])
    }
}
