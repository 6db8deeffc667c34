extension MeasuredRun: Codable {
  private enum CodingKeys: String, CodingKey {
    case model, n, d
    case dPrime = "d_prime"
    case domain, unique, loss, flops, seed
  }

  /// Optional members get their defaults; unknown members are ignored.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let seed: UInt64?
    do {
      seed = try values.decodeIfPresent(UInt64.self, forKey: .seed)
    } catch {
      // Foundation reports a negative number without its member.
      throw DecodingError.dataCorruptedError(forKey: .seed, in: values, debugDescription: "not an unsigned integer")
    }
    self.init(
      model: try values.decodeIfPresent(String.self, forKey: .model) ?? "",
      n: try values.decode(Double.self, forKey: .n),
      d: try values.decode(Double.self, forKey: .d),
      dPrime: try values.decodeIfPresent(Double.self, forKey: .dPrime) ?? 0,
      domain: try values.decodeIfPresent(String.self, forKey: .domain) ?? MeasuredRun.mean,
      unique: try values.decodeIfPresent(Double.self, forKey: .unique),
      loss: try values.decode(Double.self, forKey: .loss),
      flops: try values.decodeIfPresent(Double.self, forKey: .flops),
      seed: seed ?? 0)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(model, forKey: .model)
    try values.encode(n, forKey: .n)
    try values.encode(d, forKey: .d)
    try values.encode(dPrime, forKey: .dPrime)
    try values.encode(domain, forKey: .domain)
    try values.encodeIfPresent(unique, forKey: .unique)
    try values.encode(loss, forKey: .loss)
    try values.encodeIfPresent(flops, forKey: .flops)
    try values.encode(seed, forKey: .seed)
  }
}
