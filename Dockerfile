# The app in an image: what it runs on is installed from the lock in one stage, and taken into the next without pip's leftovers.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS packages
COPY requirements.txt /tmp/
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r /tmp/requirements.txt

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --create-home numberdesk && install -d -o numberdesk /data
COPY --from=packages /venv /venv
WORKDIR /app
COPY .streamlit .streamlit
COPY app.py .
COPY providers providers
COPY db db
COPY services services
COPY components components
COPY pages pages
RUN /venv/bin/python -m compileall -q .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 NUMBERDESK_DATA_DIR=/data
USER numberdesk
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/api/health', timeout=4)"]
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
