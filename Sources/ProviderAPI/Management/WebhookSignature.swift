import Crypto
import Foundation

/// The value of a webhook's `Webhook-Signature` header: base64 of HMAC-SHA256 over the body, keyed with the UTF-8 bytes
/// of the endpoint's secret token (docs/provider-api.md, "Documented: signature of a delivered webhook").
package struct WebhookSignature: Sendable {
    /// The signed form of the body. The vendor documents the raw body, and its sample signs the other form.
    package enum Form: String, Sendable, CaseIterable {
        /// The received bytes.
        case raw
        /// The body as Python's `json.dumps(json.loads(body))` writes it.
        case dumps = "json.dumps"
    }

    /// The form and the secret for which the signature is valid.
    package struct Match: Sendable, Equatable {
        package let form: Form
        package let secret: WebhookSecret
    }

    private let code: Data

    /// Reads a header's value; whitespace around it is ignored.
    ///
    /// - Throws: `malformed` when it is not the base64 form of an HMAC-SHA256.
    package init(_ value: String) throws(WebhookSignatureError) {
        let value = value.trimmingCharacters(in: .whitespacesAndNewlines)
        // A lenient reader accepts other texts too, such as set bits after the last byte. Encoding again refuses them.
        guard let code = Data(base64Encoded: value), code.count == SHA256.byteCount, code.base64EncodedString() == value
        else { throw .malformed }
        self.code = code
    }

    /// Tries the raw bytes with each secret, then the form of `json.dumps`. Compares in constant time.
    ///
    /// - Returns: nil when none fits: another body, another secret or a forged signature.
    package func match(body: [UInt8], secrets: [WebhookSecret]) -> Match? {
        for form in Form.allCases {
            guard let message = form == .raw ? body : PythonJSON.dumps(body) else { continue }
            if let secret = secrets.first(where: { isValid(for: message, $0) }) {
                return Match(form: form, secret: secret)
            }
        }
        return nil
    }

    private func isValid(for message: [UInt8], _ secret: WebhookSecret) -> Bool {
        let key = SymmetricKey(data: Array(secret.token.revealed.utf8))
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: message, using: key)
    }
}

/// An endpoint's secret token and the file that it came from.
package struct WebhookSecret: Sendable, Equatable {
    package let path: String
    let token: Secret

    /// Reads a file that holds only the token; line breaks at its end are ignored.
    ///
    /// - Throws: `secretFile` when the file cannot be read or holds no token.
    package init(path: String) throws(WebhookSignatureError) {
        switch SecretFile.read(path, mayWait: true) {
        case .success(let token): self.init(path: path, token: token)
        case .failure(let fault): throw .secretFile(reason: fault.reason(path))
        }
    }

    init(path: String, token: Secret) {
        self.path = path
        self.token = token
    }
}

/// Why a signature cannot be checked at all. Shows neither the signature nor a secret.
package enum WebhookSignatureError: Error, Equatable, CustomStringConvertible {
    /// The text cannot be a signature.
    case malformed
    case secretFile(reason: String)

    package var description: String {
        switch self {
        case .malformed:
            "the signature is not base64 of 32 bytes: give the whole value of the header Webhook-Signature"
        case .secretFile(let reason):
            "the secret token cannot be used: \(reason)"
        }
    }
}
