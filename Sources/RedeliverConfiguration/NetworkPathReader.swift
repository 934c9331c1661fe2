import Foundation
import LocalFiles
import ProviderAPI

/// Turns the keys about the way to the provider into a `NetworkPath`; checks their files and keys that belong together.
struct NetworkPathReader {
    let folder: ConfigurationFolder
    /// nil when `provider.base_url` is missing or cannot be used.
    let baseURL: BaseAddress?

    private static let trustRoots = "provider.ca_file"
    private static let proxy = "provider.proxy"
    private static let credentials = "provider.proxy_credentials_file"
    private static let certificate = "provider.client_certificate"
    private static let key = "provider.client_key"

    /// In bytes, far above any user name and password. Protects against a wrong path.
    private static let largestFile = 64 << 10

    /// Faulty parts are recorded and left out.
    func read(_ settings: inout Settings) -> NetworkPath {
        let path = NetworkPath(
            trustRoots: settings.optionalText(Self.trustRoots).map(folder.path), proxy: proxy(&settings),
            identity: identity(&settings))
        refuseUnused(&settings)
        do throws(NetworkPath.Fault) {
            try path.check()
        } catch {
            let key =
                switch error.file {
                case .trustRoots: Self.trustRoots
                case .certificate: Self.certificate
                case .key: Self.key
                }
            settings.addFault(key, "the file \(error.problem)")
        }
        return path
    }

    /// Certificates need https.
    private func refuseUnused(_ settings: inout Settings) {
        guard let baseURL, !baseURL.isHTTPS else { return }
        for key in [Self.trustRoots, Self.certificate] where settings.isGiven(key) {
            settings.addFault(key, "has no use with an http address in provider.base_url")
        }
    }

    private func identity(_ settings: inout Settings) -> NetworkPath.Identity? {
        let (certificate, key) = (settings.optionalText(Self.certificate), settings.optionalText(Self.key))
        if let certificate, let key {
            return NetworkPath.Identity(certificate: folder.path(certificate), key: folder.path(key))
        }
        if certificate != nil, !settings.isMentioned(Self.key) {
            settings.addFault(Self.certificate, "needs provider.client_key")
        }
        if key != nil, !settings.isMentioned(Self.certificate) {
            settings.addFault(Self.key, "needs provider.client_certificate")
        }
        return nil
    }

    private func proxy(_ settings: inout Settings) -> NetworkPath.Proxy? {
        let credentials = settings.optionalText(Self.credentials).flatMap { self.credentials(in: $0, &settings) }
        guard let text = settings.optionalText(Self.proxy) else {
            if settings.isGiven(Self.credentials), !settings.isMentioned(Self.proxy) {
                settings.addFault(Self.credentials, "needs provider.proxy")
            }
            return nil
        }
        guard let address = URLComponents(string: text), address.scheme?.lowercased() == "http",
            let host = address.host, !host.isEmpty, let port = address.port, (1...65_535).contains(port),
            address.path.isEmpty || address.path == "/", address.query == nil, address.fragment == nil
        else {
            settings.addFault(Self.proxy, "expected http, a host and a port, such as http://proxy.example.com:3128")
            return nil
        }
        guard address.user == nil, address.password == nil else {
            settings.addFault(
                Self.proxy, "must not contain a user or password; they belong to provider.proxy_credentials_file")
            return nil
        }
        return NetworkPath.Proxy(host: host, port: port, credentials: credentials)
    }

    /// The path itself is not shown: people paste the secret where its path belongs.
    private func credentials(in text: String, _ settings: inout Settings) -> Secret? {
        let content = SecretFile.read(folder.path(text))
        if case .success(let secret) = content, secret.revealed.contains(":"),
            !secret.revealed.contains(where: \.isNewline), secret.revealed.utf8.count <= 2_000
        {
            return secret
        }
        let fault =
            switch content {
            case .failure(.unreadable): "the file does not exist or cannot be read"
            case .failure(.unfit(let why)): "the file cannot be read: \(why)"
            case .failure(.empty), .failure(.noText), .success: "the file must hold user:password in one line"
            }
        settings.addFault(Self.credentials, fault)
        return nil
    }
}
