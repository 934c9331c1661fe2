import ProviderAPI

/// What `redeliver verify` says; never a secret, only where it came from.
struct VerifyReport: Encodable {
    let valid: Bool
    /// `raw` or `json.dumps`; nil: none fits.
    let form: String?
    /// The file whose secret fits, as it was given; nil: none does.
    let secretFile: String?

    /// - Parameter match: nil: the signature is not valid.
    init(_ match: WebhookSignature.Match?) {
        valid = match != nil
        form = match?.form.rawValue
        secretFile = match?.secret.path
    }

    func text(on terminal: Terminal) -> String {
        guard let form, let secretFile else {
            return terminal.paint("not valid", .bad)
                + ": no secret file fits, neither with the raw body nor with its json.dumps form"
        }
        return terminal.paint("valid", .good) + ": form \(form), secret file \(secretFile)"
    }
}
