import ProviderAPI

/// What `redeliver verify` prints; it names secrets by their files only.
struct VerifyReport: Encodable {
    let valid: Bool
    /// `raw` or `json.dumps`; nil when none fits.
    let form: String?
    /// The file whose secret fits; nil when none fits.
    let secretFile: String?

    /// - Parameter match: nil when the signature is not valid.
    init(_ match: WebhookSignature.Match?) {
        valid = match != nil
        form = match?.form.rawValue
        secretFile = match?.secret.path
    }

    func text(on terminal: Terminal) -> String {
        guard let form, let secretFile else {
            return terminal.paint("not valid", .bad)
                + ": no secret fits, neither for the raw body nor for its json.dumps form"
        }
        return terminal.paint("valid", .good) + ": form \(form), secret file \(secretFile)"
    }
}
