import CKernels
import Kernels
import Primitives

/// Latent semantic indexing: hashed unigrams (and bigrams) of token ids, sublinear term frequency, inverse document frequency,
/// projection on the leading singular vectors of the sample, length 1 (CRISP's ablation embeds so; Deerwester et al. 1990).
/// It needs no download and embeds some ten thousand windows a second.
public struct LSIEmbedder: Embedder {
  /// How an embedder is fitted; written into its manifest.
  public struct Configuration: Sendable, Codable, Equatable {
    /// Dimensions of a vector.
    public var dimensions = 128
    /// Hash buckets of features, a power of two.
    public var buckets = 65_536
    /// Whether pairs of neighbouring tokens count, beside single ones. Off: they double the cost and do not help (docs/LOG).
    public var bigrams = false
    /// A bucket that fewer windows of the sample have is left out.
    public var minimumWindows = 3
    /// A bucket that more than this share of the sample's windows have is left out.
    public var maximumShare = 1.0
    /// The most windows that are fitted on; a seeded sample where there are more.
    public var sample = 50_000
    /// Of an embedder that an earlier version fitted by subspace iteration; now by a Krylov space, which follows from the dimensions.
    public var iterations: Int?
    /// Of the same.
    public var oversampling: Int?
    /// The exponent of the singular values in the projection: 1 = classic LSI, 0 = every direction alike. Half the exponent tells
    /// small domains apart better (docs/LOG).
    public var spectrum = 0.5
    /// The seed of sampling and start.
    public var seed: UInt64 = 1

    /// Creates the defaults.
    public init() {}

    /// Throws on values that make no sense.
    public func validate() throws {
      guard (1...4_096).contains(dimensions) else { throw WeirError("--dimensions", "\(dimensions) is not in 1…4096") }
      guard (16...1 << 24).contains(buckets), buckets & (buckets - 1) == 0 else {
        throw WeirError("--buckets", "\(buckets) is not a power of two in 16…16777216")
      }
      guard sample > 0 else { throw WeirError("--sample", "the sample is empty", remedy: "give a positive number of windows") }
      guard minimumWindows >= 0, maximumShare > 0, spectrum.isFinite else {
        throw WeirError("lsi", "minimum windows, maximum share or spectrum out of range")
      }
    }
  }

  /// How it was fitted.
  public let configuration: Configuration
  /// The fingerprint of the tokenizer whose ids it understands.
  public let tokenizer: String
  /// XXH3 over configuration, tokenizer and every number of the model.
  public let fingerprint: String
  /// [buckets] inverse document frequencies, 0 where a bucket is left out.
  public let idf: [Float]
  /// [kept, dimensions] row-major: a row for each bucket whose frequency is not 0, in their order.
  public let projection: [Float]
  /// [buckets] the row of each kept bucket.
  private let rows: [UInt32]
  /// [dimensions] singular values of the sample.
  public let singularValues: [Float]

  /// Dimensions of a vector.
  public var dimensions: Int { configuration.dimensions }

  /// Creates an embedder of its parts.
  public init(
    configuration: Configuration, tokenizer: String, idf: [Float], projection: [Float], singularValues: [Float]
  ) throws {
    try configuration.validate()
    var rows = [UInt32](repeating: 0, count: idf.count)
    var kept = 0
    for bucket in idf.indices where idf[bucket] > 0 {
      rows[bucket] = UInt32(kept)
      kept += 1
    }
    guard idf.count == configuration.buckets, projection.count == kept * configuration.dimensions,
      singularValues.count == configuration.dimensions
    else { throw WeirError("lsi", "idf, projection and singular values do not have the shapes of the configuration") }
    self.configuration = configuration
    self.tokenizer = tokenizer
    fingerprint = try Self.fingerprint(configuration: configuration, tokenizer: tokenizer, idf: idf, projection: projection)
    self.idf = idf
    self.rows = rows
    self.projection = projection
    self.singularValues = singularValues
  }

  /// Embeds windows, see `Embedder`.
  public func embed(_ windows: [[Int32]], pool: ThreadPool) throws -> [Float] {
    let width = dimensions
    let features = TokenFeatures(buckets: configuration.buckets, bigrams: configuration.bigrams)
    var result = [Float](repeating: 0, count: windows.count * width)
    result.withUnsafeMutableBufferPointer { result in
      idf.withUnsafeBufferPointer { idf in
        projection.withUnsafeBufferPointer { projection in
          guard let out = result.baseAddress, let matrix = projection.baseAddress else { return }
          nonisolated(unsafe) let (o, m, weights) = (out, matrix, idf)
          pool.ranges(windows.count, grain: 64) { range in
            var scratch = TokenFeatures.Scratch(buckets: features.buckets)
            var (indices, values): ([UInt32], [Float]) = ([], [])
            for window in range {
              let size = features.count(windows[window], scratch: &scratch)
              if indices.count < size {
                indices = [UInt32](repeating: 0, count: 2 * size)
                values = [Float](repeating: 0, count: 2 * size)
              }
              var count = 0
              for place in 0..<size {
                let bucket = Int(scratch.buckets[place]), weight = weights[bucket]
                indices[count] = rows[bucket]
                values[count] = LSIEmbedder.sublinear(scratch.counts[place]) * weight
                count += weight > 0 ? 1 : 0
              }
              // The projection is linear, so the length of the tf-idf vector cancels in the last normalisation.
              weir_gather_rows(indices, values, count, m, width, o + window * width)
              _ = weir_normalize(o + window * width, width)
            }
          }
        }
      }
    }
    return result
  }

  /// 1 + ln(count).
  static func sublinear(_ count: UInt32) -> Float {
    count < 64 ? sublinearTable[Int(count)] : Float(1 + Elementary.natural(Double(count)))
  }

  private static let sublinearTable: [Float] = (0..<64).map { $0 == 0 ? 0 : Float(1 + Elementary.natural(Double($0))) }
}
