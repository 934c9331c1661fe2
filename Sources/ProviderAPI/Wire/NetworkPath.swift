import LocalFiles
import NIOSSL

/// How connections reach the provider: through a proxy, with further trusted issuers, with a certificate of our own.
///
/// Server certificates are always verified; nothing turns that off.
package struct NetworkPath: Sendable, Equatable {
    /// An HTTP proxy that tunnels connections (`CONNECT`, RFC 9110, 9.3.6).
    package struct Proxy: Sendable, Equatable {
        package var host: String
        package var port: Int
        /// `user:password`; nil sends none.
        package var credentials: Secret?

        package init(host: String, port: Int, credentials: Secret? = nil) {
            self.host = host
            self.port = port
            self.credentials = credentials
        }
    }

    /// The paths of two PEM files that identify us to the provider (mutual TLS).
    package struct Identity: Sendable, Equatable {
        /// Our certificate, followed by the certificates that lead to its issuer.
        package var certificate: String
        /// The private key of the certificate, without a passphrase.
        package var key: String

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The path of a PEM file with issuers that are trusted beside the system's; nil trusts only the system's.
    package var trustRoots: String?
    /// nil connects directly.
    package var proxy: Proxy?
    /// nil presents no certificate.
    package var identity: Identity?

    package init(trustRoots: String? = nil, proxy: Proxy? = nil, identity: Identity? = nil) {
        self.trustRoots = trustRoots
        self.proxy = proxy
        self.identity = identity
    }

    /// Without a proxy, further issuers and a certificate of our own.
    package static let direct = NetworkPath()

    /// A certificate or key file that cannot be used.
    package struct Fault: Error, Equatable {
        package enum File: Sendable {
            case trustRoots, certificate, key
        }

        package let file: File
        /// The end of a sentence that begins with "the file".
        package let problem: String
    }

    /// Reads all the files to see whether they can be used.
    ///
    /// - Throws: the fault of the first file that cannot be used.
    package func check() throws(Fault) {
        _ = try tlsConfiguration()
    }

    /// Reads the files into the TLS library's configuration; nil when the library's default will do.
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
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes(of: path)), !certificates.isEmpty else {
            throw Fault(file: file, problem: "cannot be read or holds no certificate in PEM form")
        }
        return certificates
    }

    /// In bytes: the issuers that systems trust have 250 KB together.
    private static let largestFile = 4 << 20

    private static func bytes(of path: String) throws(FileFault) -> [UInt8] {
        try OpenFile(reading: path).bytes(atMost: largestFile)
    }

    private static func key(in path: String) throws(Fault) -> NIOSSLPrivateKey {
        guard let key = try? NIOSSLPrivateKey(bytes: bytes(of: path), format: .pem) else {
            throw Fault(
                file: .key, problem: "cannot be read or holds no private key in PEM form without a passphrase")
        }
        return key
    }
}
