import NIOSSL

/// The way to the provider where it is not a plain one: what else is trusted on it, a proxy, a certificate of our own.
///
/// Certificates are always verified; nothing here turns that off.
package struct NetworkPath: Sendable, Equatable {
    /// An HTTP proxy that lets connections through (`CONNECT`, RFC 9110, 9.3.6).
    package struct Proxy: Sendable, Equatable {
        package var host: String
        package var port: Int
        /// `user:password`; nil: it asks for none.
        package var credentials: Secret?

        package init(host: String, port: Int, credentials: Secret? = nil) {
            self.host = host
            self.port = port
            self.credentials = credentials
        }
    }

    /// Files in PEM form with what shows the provider who we are (mutual TLS).
    package struct Identity: Sendable, Equatable {
        /// Our certificate, then those that lead from it to its issuer.
        package var certificate: String
        /// Its private key, without a passphrase.
        package var key: String

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// A file in PEM form with issuers that are trusted beside the system's; nil: no others are.
    package var trustRoots: String?
    package var proxy: Proxy?
    package var identity: Identity?

    package init(trustRoots: String? = nil, proxy: Proxy? = nil, identity: Identity? = nil) {
        self.trustRoots = trustRoots
        self.proxy = proxy
        self.identity = identity
    }

    package static let direct = NetworkPath()

    /// What is wrong with one of the files.
    package struct Fault: Error, Equatable {
        package enum File: Sendable {
            case trustRoots, certificate, key
        }

        package let file: File
        /// Completes "the file …".
        package let problem: String
    }

    /// Reads the files.
    ///
    /// - Throws: `Fault` for the first of them that cannot be used.
    package func check() throws(Fault) {
        _ = try tlsConfiguration()
    }

    /// - Returns: nil where the library's own will do.
    func tlsConfiguration() throws(Fault) -> TLSConfiguration? {
        guard trustRoots != nil || identity != nil else { return nil }
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let trustRoots {
            let roots = try Self.certificates(in: trustRoots, as: .trustRoots)
            configuration.additionalTrustRoots = [.certificates(roots)]
        }
        if let identity {
            let chain = try Self.certificates(in: identity.certificate, as: .certificate)
            configuration.certificateChain = chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(try Self.key(in: identity.key))
            guard (try? NIOSSLContext(configuration: configuration)) != nil else {
                throw Fault(file: .key, problem: "does not belong to the certificate in provider.client_certificate")
            }
        }
        return configuration
    }

    private static func certificates(in path: String, as file: Fault.File) throws(Fault) -> [NIOSSLCertificate] {
        guard let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty else {
            throw Fault(file: file, problem: "cannot be read, or holds no certificate in PEM form")
        }
        return certificates
    }

    private static func key(in path: String) throws(Fault) -> NIOSSLPrivateKey {
        guard let key = try? NIOSSLPrivateKey(file: path, format: .pem) else {
            throw Fault(
                file: .key, problem: "cannot be read, or holds no private key in PEM form, or one with a passphrase")
        }
        return key
    }
}
