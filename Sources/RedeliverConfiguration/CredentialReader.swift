import LocalFiles
import ProviderAPI

/// The keys of `provider.auth`.
enum AuthKeys {
    static let section = "provider.auth"
    static let token = "provider.auth.token"
    static let tokenFile = "provider.auth.token_file"
    static let tokenEnv = "provider.auth.token_env"
    static let username = "provider.auth.username"
    static let password = "provider.auth.password"
    static let passwordFile = "provider.auth.password_file"
    static let passwordEnv = "provider.auth.password_env"

    /// Each of them is a whole form.
    static let tokens = [token, tokenFile, tokenEnv]
    /// Exactly one of them completes `username`.
    static let passwords = [password, passwordFile, passwordEnv]
    /// Their values are names of environment variables.
    static let variables = [tokenEnv, passwordEnv]
}

/// Turns `provider.auth` into a credential. There must be exactly one form, with its variable set or its file present.
struct CredentialReader {
    let environment: [String: String]
    let folder: ConfigurationFolder

    /// The credential; nil after a fault, which is recorded.
    func read(_ settings: inout Settings) -> Credential? {
        let given = (AuthKeys.tokens + [AuthKeys.username] + AuthKeys.passwords).filter { settings.isMentioned($0) }
        let passwords = given.filter(AuthKeys.passwords.contains)
        let tokens = given.filter(AuthKeys.tokens.contains)
        if given.isEmpty, settings.isUnreadable(AuthKeys.section) { return nil }
        if tokens.count == 1, given.count == 1 { return token(tokens[0], &settings) }
        if tokens.isEmpty, given.contains(AuthKeys.username), passwords.count == 1 {
            return login(password: passwords[0], &settings)
        }
        let place = settings.origin(given.last ?? AuthKeys.section)
        settings.refuse(AuthKeys.section, Self.problem(given), at: place)
        return nil
    }

    private func token(_ key: String, _ settings: inout Settings) -> Credential? {
        guard let text = settings.optionalText(key) else { return nil }
        switch key {
        case AuthKeys.tokenFile: return file(text, key, &settings).map { .tokenFile(path: $0) }
        case AuthKeys.tokenEnv: return variable(text, key, rule: .token, &settings).map { .token($0) }
        default: return .token(Secret(text))
        }
    }

    private func login(password key: String, _ settings: inout Settings) -> Credential? {
        guard let text = settings.optionalText(key) else { return nil }
        let source: PasswordSource? =
            switch key {
            case AuthKeys.passwordFile: file(text, key, &settings).map { .file(path: $0) }
            case AuthKeys.passwordEnv: variable(text, key, rule: .password, &settings).map { .value($0) }
            default: .value(Secret(text))
            }
        guard let source, let username = settings.optionalText(AuthKeys.username) else { return nil }
        return .login(username: username, password: source)
    }

    /// The path of a readable file. It is read later and each time again, because secrets are rotated by replacing it.
    private func file(_ text: String, _ key: String, _ settings: inout Settings) -> String? {
        let path = folder.path(text)
        // The path itself is not shown: people paste the secret where its path belongs.
        guard let status = FileStatus(at: path) else {
            let hint = text.beginsAtRoot ? "" : " (looked for from \(folder.root))"
            settings.addFault(key, "the file does not exist\(hint)")
            return nil
        }
        if status.isFolder {
            settings.addFault(key, "is a directory, expected a file")
            return nil
        }
        do throws(FileFault) {
            _ = try OpenFile(reading: path)
            return path
        } catch {
            let isForbidden = error.code != nil && status.isRegular
            settings.addFault(
                key, isForbidden ? "the file must be readable for the user that runs redeliver" : "\(error)")
            return nil
        }
    }

    private func variable(_ name: String, _ key: String, rule: TextRule, _ settings: inout Settings) -> Secret? {
        guard let value = environment[name], !value.isEmpty else {
            settings.addFault(key, "the environment variable of this name is not set or empty")
            return nil
        }
        do throws(SettingProblem) {
            return Secret(try ScalarReader.checked(value, by: rule))
        } catch {
            settings.addFault(key, "the environment variable of this name: \(error.text)")
            return nil
        }
    }

    private static func problem(_ given: [String]) -> String {
        let names = given.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
        let wanted =
            "exactly one of token, token_file, token_env, or username with exactly one of password, password_file, "
            + "password_env"
        if names.isEmpty { return "is required: \(wanted)" }
        return "found \(names.joined(separator: " and ")), expected \(wanted)"
    }
}
