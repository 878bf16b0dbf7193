"""Distillation: a student learns from the answers of a teacher, right and wrong ones."""

from torch import Tensor
from torch.nn.functional import kl_div


def distillation_loss(
    student_logits: Tensor, teacher_logits: Tensor, temperature: float
) -> Tensor:
    r"""Divergence of the student's softened answers from the teacher's.

    .. math:: T^2 \, \mathrm{KL}(p^T \,\|\, q^T)
              = T^2 \, \frac1N \sum_i \sum_k p^T_{ik} \log \frac{p^T_{ik}}{q^T_{ik}}, \qquad
              p^T = \operatorname{softmax}(t / T), \; q^T = \operatorname{softmax}(s / T)

    with the logits t of the teacher and s of the student. The higher the temperature T, the more
    the small probabilities count: which mistakes are near ones. Softening divides the gradient by
    about T²; the factor in front makes up for it, so that T does not change the learning rate.

    Parameters
    ----------
    student_logits : tensor (N, K)
    teacher_logits : tensor (N, K)
        Get no gradient.
    temperature : float
        Above 0; 1 compares the plain probabilities.

    Returns
    -------
    tensor ()
        In nats, 0 or more.

    Raises
    ------
    ValueError
        Other shapes, or a temperature that is not above 0.

    References
    ----------
    Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, NeurIPS workshop 2014.
    """
    if student_logits.ndim != 2 or student_logits.shape != teacher_logits.shape:
        raise ValueError("student and teacher need logits (N, K) of the same samples and classes, "
                         f"got {tuple(student_logits.shape)} and {tuple(teacher_logits.shape)}")
    if not 0 < temperature < float("inf"):
        raise ValueError(f"the temperature is a number above 0, got {temperature}")
    student = (student_logits / temperature).log_softmax(1)
    teacher = (teacher_logits.detach() / temperature).log_softmax(1)
    return temperature**2 * kl_div(student, teacher, reduction="batchmean", log_target=True)
