import CKernels
import Kernels

/// The sums of a batch's losses over its targets.
package struct LossSums: Sendable, Equatable {
  /// Σ −log p(target), in nats.
  package var crossEntropy = 0.0
  /// Σ KL against the frozen model, in nats; 0 without one.
  package var divergence = 0.0
  /// Σ ln² of the softmax's sum; 0 without z-loss.
  package var squares = 0.0
  /// Positions with a target.
  package var targets = 0

  /// The mean cross-entropy.
  package var mean: Double { targets == 0 ? 0 : crossEntropy / Double(targets) }

  /// Adds the sums of another part of the batch.
  static func += (sums: inout LossSums, other: LossSums) {
    sums.crossEntropy += other.crossEntropy
    sums.divergence += other.divergence
    sums.squares += other.squares
    sums.targets += other.targets
  }
}

/// Which way the divergence of label annealing goes.
package enum AnnealingDirection: String, Codable, Sendable, CaseIterable {
  /// KL(p_θ ‖ p_θ0), the paper's.
  case student
  /// KL(p_θ0 ‖ p_θ).
  case teacher
}

/// On which distributions the temperature acts.
package enum AnnealingSide: String, Codable, Sendable, CaseIterable {
  /// On both, the paper's.
  case both
  /// On the model being tuned only.
  case student
  /// On the frozen model only.
  case teacher
}

/// The extra term of label annealing (Yang et al., FITML 2024): λ·KL against the frozen initial model on the same batch, mean over the
/// same targets, both sides at temperature T; no T² factor (ours).
package struct Annealing: Codable, Sendable, Equatable {
  /// λ, constant.
  package var lambda: Double
  /// T, constant.
  package var temperature: Double
  /// The direction of the divergence.
  package var direction: AnnealingDirection
  /// The side of the temperature.
  package var side: AnnealingSide

  /// Creates the term.
  package init(lambda: Double, temperature: Double = 1, direction: AnnealingDirection = .student, side: AnnealingSide = .both) {
    self.lambda = lambda
    self.temperature = temperature
    self.direction = direction
    self.side = side
  }
}

extension Transformer {
  /// The frozen side of label annealing: a model whose `forward` has run on the same batch, and room for its logits.
  package final class Frozen {
    /// The frozen model.
    package let model: Transformer
    let logits: FloatBuffer

    /// Wraps a model.
    package init(_ model: Transformer) {
      self.model = model
      logits = FloatBuffer(model.workspace.lossGroup * model.configuration.vocabulary)
    }
  }

  /// The loss of the last forward pass, and with `gradient` the gradients of the output matrix and the hidden states.
  ///
  /// Logits are held for a group of tokens at a time and turned into their gradient in place.
  /// - Parameters:
  ///   - targets: [rows · sequence] the token to predict, −1 where there is none.
  ///   - gradient: whether `backward` will follow; the loss is then the mean over the targets.
  ///   - annealing: the extra term.
  ///   - frozen: the frozen model for it, of the same vocabulary and batch shape.
  ///   - total: targets to take the mean over, where this is a part of a larger batch; by default this batch's own.
  ///   - zLoss: factor of ln² of the softmax's sum (Chowdhery et al. 2204.02311 §5); not with annealing.
  package func loss(
    targets: [Int32], gradient: Bool, annealing: Annealing? = nil, frozen: Frozen? = nil, of total: Int? = nil, zLoss: Double = 0
  ) -> LossSums {
    let c = configuration, work = workspace, width = c.width, vocabulary = c.vocabulary
    precondition(targets.count == work.tokens, "targets of another shape")
    precondition(!gradient || work.training, "gradients of a model made without training")
    precondition((annealing == nil) == (frozen == nil), "annealing wants both its term and its frozen model")
    precondition(annealing == nil || zLoss == 0, "z-loss goes with plain cross-entropy")
    if let frozen { precondition(frozen.model.configuration.vocabulary == vocabulary, "a frozen model of another vocabulary") }
    var sums = LossSums()
    for target in targets where target >= 0 { sums.targets += 1 }
    let share: Float = gradient ? 1 / Float(max(1, total ?? sums.targets)) : 0
    let studentT = annealing.map { $0.side == .teacher ? 1 : $0.temperature } ?? 1
    let teacherT = annealing.map { $0.side == .student ? 1 : $0.temperature } ?? 1
    let head = parameter(layout.head)

    targets.withUnsafeBufferPointer { targets in
      var group = 0
      while group < work.tokens {
        let size = min(work.lossGroup, work.tokens - group), first = group
        pool.ranges(size, grain: work.lossRows) { range in
          let token = first + range.lowerBound, logits = work.logits + range.lowerBound * vocabulary
          linear(work.hidden + token * width, head, logits, m: range.count, from: width, to: vocabulary)
          if let annealing, let frozen {
            let other = frozen.model, scratch = frozen.logits.base + range.lowerBound * vocabulary, from = other.configuration.width
            linear(
              other.workspace.hidden + token * from, other.parameter(other.layout.head), scratch, m: range.count, from: from, to: vocabulary
            )
            weir_cross_entropy_annealed(
              logits, scratch, range.count, vocabulary, targets.baseAddress! + token, work.losses + token, work.divergences + token, share,
              Float(annealing.lambda), Float(studentT), Float(teacherT), annealing.direction == .teacher ? 1 : 0)
          } else {
            weir_cross_entropy(
              logits, range.count, vocabulary, targets.baseAddress! + token, work.losses + token, share, Float(zLoss),
              zLoss > 0 ? work.divergences + token : nil)
          }
          if gradient { linearInput(logits, head, work.dHidden + token * width, m: range.count, from: width, to: vocabulary) }
        }
        if gradient { headGradient(group: group, size: size) }
        group += size
      }
    }
    for t in 0..<work.tokens { sums.crossEntropy += Double(work.losses[t]) }
    if annealing != nil { for t in 0..<work.tokens { sums.divergence += Double(work.divergences[t]) } }
    if zLoss > 0 { for t in 0..<work.tokens { sums.squares += Double(work.divergences[t]) } }
    return sums
  }

  /// dHead [vocabulary, width] (+)= logitsᵀ · hidden of one group, by tiles of the vocabulary.
  private func headGradient(group: Int, size: Int) {
    let c = configuration, work = workspace
    let grain = max(64, min(512, (c.vocabulary + 15) / 16))
    pool.ranges(c.vocabulary, grain: grain) { range in
      product(
        1, 0, m: range.count, n: c.width, k: size, work.logits + range.lowerBound, c.vocabulary, work.hidden + group * c.width, c.width,
        gradient(layout.head) + range.lowerBound * c.width, c.width, add: group > 0)
    }
  }
}
