"""Images, page by page through Tesseract."""

from PIL import Image, ImageSequence, UnidentifiedImageError

from pipelines.parsing import detect, rejections
from pipelines.parsing.canonical import Block, Reading
from pipelines.parsing.detect import FileType
from pipelines.parsing.formats.ocr import Reader
from pipelines.parsing.rejections import Rejected
from pipelines.parsing.source import Source


def read_image(source: Source) -> Reading:
    """Text of every frame; a frame counts as a page. Frames of an animation beyond the limit are not read at all."""
    limits = source.limits
    Image.MAX_IMAGE_PIXELS = None  # checked here, with a reason instead of a warning
    try:
        with Image.open(source.path) as image:
            frames = getattr(image, "n_frames", 1)
            if frames > limits.ocr_pages:
                raise Rejected(rejections.too_many_pages("pages that are pictures", frames, limits.ocr_pages))
            _check_size(image, limits.image_pixels)
            reader = Reader(limits)
            blocks: list[Block] = []
            for page, frame in enumerate(ImageSequence.Iterator(image), 1):
                _check_size(frame, limits.image_pixels)
                blocks += reader.read(frame, page=page)
            media_type = Image.MIME.get(image.format or "", "image/*")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Rejected(rejections.damaged(detect.NAMES[FileType.IMAGE])) from error
    return Reading(media_type, "tesseract", blocks)


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise Rejected(rejections.too_many("pixels", image.width * image.height, max_pixels))
